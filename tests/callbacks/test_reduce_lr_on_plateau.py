"""ReduceLROnPlateau, driven by scripted logs and by real fits."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import callbacks, optimizers, schedules
from kerasrecipes._checks import InputError
from tests.replicas import run_on_replicas

NAN = float("nan")
X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
DATA = {"x": X, "y": X[:, :1], "batch_size": 8, "verbose": 0, "shuffle": False}


def linear_model(optimizer):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def rate_of(model):
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def play(plateau, values, *, optimizer=None, first=0, state=None, name="val_loss"):
    """Runs scripted epochs; returns the rate after each, and the state."""
    model = linear_model(optimizer or keras.optimizers.SGD(1.0))
    plateau.set_model(model)
    plateau.set_params({"epochs": len(values)})
    plateau.on_train_begin()
    if state is not None:
        state, rate = state
        plateau.load_state_dict(state)
        model.optimizer.learning_rate = rate
    rates = []
    for epoch in range(first, len(values)):
        logs = {"loss": 1.0, "accuracy": 0.5}
        plateau.on_epoch_end(
            epoch, logs if values[epoch] is None else {**logs, name: values[epoch]}
        )
        rates.append(rate_of(model))
    if hasattr(plateau, "state_dict"):
        state = plateau.state_dict(), rate_of(model)
    plateau.on_train_end()
    return rates, state


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("patience", [0, 1, 3])
def test_agrees_with_keras_where_keras_is_right(seed, patience):
    values = np.random.default_rng(seed).exponential(size=60).cumsum()[::-1] ** 0.01
    values += np.random.default_rng(seed + 9).normal(scale=0.02, size=60)
    arguments = {"factor": 0.5, "patience": patience, "min_delta": 1e-3, "min_lr": 1e-3}
    ours, _ = play(callbacks.ReduceLROnPlateau(**arguments), list(values))
    keras_ones, _ = play(keras.callbacks.ReduceLROnPlateau(**arguments), list(values))
    np.testing.assert_allclose(ours, keras_ones, rtol=1e-6)
    assert ours[-1] < 1


@pytest.mark.parametrize(
    ("values", "arguments", "cuts"),
    [
        ([1, 1, 1, 1, 1, 1], {"patience": 2}, [2, 4]),
        ([1, 1, 1, 1, 1, 1, 1, 1, 1], {"patience": 2, "cooldown": 1}, [2, 5, 8]),
        ([1, 1, 1, 1, 1, 1, 1, 1, 1], {"patience": 1, "cooldown": 3}, [1, 5]),
        ([1, 0.9, 0.8, 0.7], {"patience": 2, "min_delta": 0.2}, [2]),
        ([1, 0.9, 0.8, 0.7], {"patience": 2}, []),
        ([1, 1, 0.5, 0.5, 0.5], {"patience": 2}, [4]),
        ([NAN, NAN, 1, 1], {"patience": 2}, [1]),
        ([3, float("-inf"), 2, 1], {"patience": 1}, [1]),
        ([1, None, 1, None, 1], {"patience": 2}, [4]),
    ],
)
def test_cuts(values, arguments, cuts):
    plateau = callbacks.ReduceLROnPlateau(**arguments)
    rates, _ = play(plateau, values)
    assert plateau.cuts == cuts
    expected = [0.1 ** sum(cut <= epoch for cut in cuts) for epoch in range(len(values))]
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_maximum_and_a_second_fit():
    plateau = callbacks.ReduceLROnPlateau("val_accuracy", patience=1)
    play(plateau, [0.1, 0.2, 0.3, 0.2], name="val_accuracy")
    assert plateau.cuts == [3]
    play(plateau, [0.1, 0.2], name="val_accuracy")
    assert plateau.cuts == []


def test_floor():
    plateau = callbacks.ReduceLROnPlateau(patience=1, factor=0.5, min_lr=0.3)
    assert play(plateau, [1] * 5)[0] == pytest.approx([1, 0.5, 0.3, 0.3, 0.3])
    assert plateau.cuts == [1, 2]
    low = play(callbacks.ReduceLROnPlateau(patience=1, min_lr=2.0), [1, 1, 1])[0]
    assert low == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("stopped", range(1, 10))
def test_state_goes_on(stopped):
    def make():
        return callbacks.ReduceLROnPlateau(patience=2, cooldown=2, factor=0.5)

    values = [2, 1, NAN, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]
    rates, (end, _) = play(make(), values)
    _, state = play(make(), values[:stopped])
    rest, (resumed, _) = play(make(), values, first=stopped, state=state)
    assert rest == rates[stopped:]
    assert resumed == end
    assert end["cuts"] == [3, 8]


class Script(keras.callbacks.Callback):
    """Puts scripted values into the logs."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


def cosine(update, updates, peak):
    return peak * (1 + np.cos(np.pi * update / updates)) / 2


@pytest.mark.parametrize("wrap", [lambda o: o, optimizers.Lookahead, optimizers.SAM])
def test_cuts_a_schedule(wrap):
    inputs = keras.Input((3,))
    model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(1)(inputs))  # SAM needs this one
    model.compile(wrap(optimizers.SGD(schedules.Cosine(0.1))), "mse")
    plateau = callbacks.ReduceLROnPlateau(patience=2, factor=0.5)
    several = [callbacks.BindSchedule(), Script([1] * 6), plateau, callbacks.LearningRateLog()]
    rates = model.fit(**DATA, epochs=6, callbacks=several).history["learning_rate"]
    factors = [1, 1, 0.5, 0.5, 0.25, 0.25]
    expected = [cosine(e + 1, 6, 0.1) * f for e, f in enumerate(factors)]
    np.testing.assert_allclose(rates, expected, atol=1e-8)
    assert plateau.cuts == [2, 4]


def test_the_weights_move_at_the_cut_rate():
    def weights_after(rates):
        w = np.zeros((3, 1))
        for rate in rates:
            w -= rate * 2 * X.T.astype("float64") @ (X @ w - X[:, :1]) / 32
        return w

    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(inputs)
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizers.SGD(schedules.ExponentialDecay(0.1, decay=0.1, every=1), momentum=0.0), "mse"
    )
    several = [Script([1] * 4), callbacks.ReduceLROnPlateau(patience=1, factor=0.5)]
    model.fit(**{**DATA, "batch_size": 32}, epochs=4, callbacks=several)
    rates = [0.1 * np.exp(-0.1 * t) * f for t, f in enumerate([1, 1, 0.5, 0.25])]
    np.testing.assert_allclose(model.get_weights()[0], weights_after(rates), rtol=1e-5)


def test_floor_of_a_schedule():
    model = linear_model(optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(1.0, 4, 0.5)))
    plateau = callbacks.ReduceLROnPlateau(patience=1, factor=0.1, min_lr=0.2)
    several = [Script([1] * 4), plateau, callbacks.LearningRateLog()]
    rates = model.fit(**DATA, epochs=4, callbacks=several).history["learning_rate"]
    assert rates == pytest.approx([0.5, 0.2, 0.1, 0.05])
    assert plateau.cuts == [1]


def test_loss_scaling():
    model = linear_model(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5)))
    model.fit(
        **DATA,
        epochs=2,
        callbacks=[Script([1, 1]), callbacks.ReduceLROnPlateau(patience=1)],
    )
    assert rate_of(model) == pytest.approx(0.05)


def test_a_resumed_run_has_the_cuts(tmp_path):
    class Stop(keras.callbacks.Callback):
        interrupted = True

        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 2

    def train(folder, *extra):
        keras.utils.set_random_seed(0)
        model = linear_model(optimizers.SGD(schedules.Cosine(0.1)))
        plateau = callbacks.ReduceLROnPlateau(patience=2, factor=0.5)
        several = [callbacks.Checkpoint(folder), callbacks.BindSchedule(), Script([1] * 6)]
        several += [plateau, callbacks.LearningRateLog(), *extra]
        history = model.fit(**DATA, epochs=6, callbacks=several).history
        return history, plateau.state_dict(), [w.tobytes() for w in model.get_weights()]

    whole = train(tmp_path / "whole")
    assert len(train(tmp_path / "parts", Stop())[0]["loss"]) == 3
    assert train(tmp_path / "parts") == whole
    assert whole[1]["cuts"] == [2, 4]


@pytest.mark.parametrize(
    "rate", [keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5), lambda: 0.1]
)
def test_a_rate_that_cannot_be_cut_is_refused_before_training(rate):
    model = linear_model(keras.optimizers.SGD(rate))
    before = model.get_weights()
    with pytest.raises(InputError, match=r"ReduceLROnPlateau.*kerasrecipes\.optimizers"):
        model.fit(**DATA, callbacks=[callbacks.ReduceLROnPlateau("loss")])
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_a_monitor_that_is_missing_is_an_error():
    with pytest.raises(InputError, match="Pass `validation_data`"):
        linear_model("sgd").fit(**DATA, callbacks=[callbacks.ReduceLROnPlateau()])
    with pytest.raises(InputError, match="Did you mean 'loss'"):
        linear_model("sgd").fit(**DATA, callbacks=[callbacks.ReduceLROnPlateau("los", mode="min")])


def test_the_target_names_the_monitor():
    model = kr.recipes.mlp((3,), kr.targets.Regression(), hidden=(4,))
    plateau = callbacks.ReduceLROnPlateau()
    model.fit(X, X[:, :1], validation_data=(X, X[:, :1]), verbose=0, callbacks=[plateau])
    assert plateau.watched == model.target.monitor


@pytest.mark.multi_device
def test_replicas():
    code = """
    class Script(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = 1.0
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    rates = []
    for schedule in ("cosine", None):
        model = kr.recipes.mlp(
            (3,), kr.targets.Regression(), hidden=(4,), seed=1, strategy=strategy,
            learning_rate=0.1, schedule=schedule,
        )
        plateau = kr.callbacks.ReduceLROnPlateau(patience=1, factor=0.5)
        several = [Script(), plateau, kr.callbacks.LearningRateLog()]
        fit = {"validation_data": (x, x[:, :1]), "epochs": 3, "verbose": 0}
        rates += model.fit(x, x[:, :1], callbacks=several, **fit).history["learning_rate"]
    report(rates=rates)
    """
    rates = run_on_replicas(code, replicas=2)["rates"]
    expected = [cosine(e + 1, 3, 0.1) * f for e, f in enumerate([1, 0.5, 0.25])]
    np.testing.assert_allclose(rates, [*expected, 0.1, 0.05, 0.025], atol=1e-7)


BAD = [
    ({"factor": 1.0}, "`factor`"),
    ({"factor": 0}, "`factor`"),
    ({"patience": -1}, "`patience`"),
    ({"cooldown": 1.5}, "`cooldown`"),
    ({"min_lr": -1}, "`min_lr`"),
    ({"min_delta": -1}, "`min_delta`"),
    ({"monitor": "val_joy"}, "`mode` is needed"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input(arguments, message):
    with pytest.raises(InputError, match=message):
        callbacks.ReduceLROnPlateau(**arguments)
