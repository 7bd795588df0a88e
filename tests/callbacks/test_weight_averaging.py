"""WeightAveraging against averages made in NumPy from the recorded weights."""

import functools

import keras
import numpy as np
import pytest

from kerasrecipes import callbacks, optimizers, recipes
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks.weight_averaging import WeightAveraging
from tests.harness import representative
from tests.replicas import run_on_replicas

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 4)).astype("float32")
Y = (X @ RNG.normal(size=(4, 2))).astype("float32")


def build(optimizer=None, *, norm=False, **compile_arguments):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(6, activation="tanh")(inputs)
    x = keras.layers.BatchNormalization(momentum=0.9)(x) if norm else x
    x = keras.layers.Dropout(0.2)(x)
    model = recipes.RecipeModel(inputs, keras.layers.Dense(2)(x))
    optimizer = optimizer or optimizers.Adam(0.02)
    model.compile(optimizer, "mse", jit_compile=False, **compile_arguments)
    return model


class Weights(keras.callbacks.Callback):
    """Records the weights before each batch, and at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.before, self.ends, self.tests = [], [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.before.append(self.model.get_weights())

    def on_test_begin(self, logs=None):
        self.tests.append(self.model.get_weights())

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append(self.model.get_weights())


def fit(model, use, **arguments):
    defaults = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
    return model.fit(X, Y, callbacks=list(use), **{**defaults, **arguments})


def assert_same(left, right, **tolerance):
    for a, b in zip(left, right, strict=True):
        if tolerance:
            np.testing.assert_allclose(a, b, **tolerance)
        else:
            np.testing.assert_array_equal(a, b)


def plain_trajectory(optimizer, **arguments):
    """The weights before each batch of a fit without averaging, and the last ones."""
    model, weights = build(optimizer, **arguments), Weights()
    fit(model, [weights])
    return [*weights.before, model.get_weights()]


def moving_average(trajectory, decay, warmup):
    average = [w.astype("float64") for w in trajectory[0]]
    for t, weights in enumerate(trajectory[1:], start=1):
        d = min(decay, (1 + t) / (10 + t)) if warmup else decay
        average = [d * a + (1 - d) * w for a, w in zip(average, weights, strict=True)]
    return average


@pytest.fixture(scope="module")
def adam_trajectory():
    """The trajectory of a fit by Adam, by whether the model has a normalisation."""
    return functools.cache(lambda norm: plain_trajectory(optimizers.Adam(0.02), norm=norm))


@pytest.mark.parametrize("warmup", [True, False])
@pytest.mark.parametrize("norm", representative([True, False], True))
def test_ema_equals_the_recursion_in_numpy(warmup, norm, adam_trajectory):
    model = build(norm=norm)
    fit(model, [WeightAveraging(decay=0.8, warmup=warmup)])
    expected = moving_average(adam_trajectory(norm), 0.8, warmup)
    assert_same(model.get_weights(), expected, rtol=1e-5, atol=1e-6)


def test_ema_moves_once_per_update_under_accumulation():
    model = build(optimizers.Adam(0.02, gradient_accumulation_steps=3))
    average = WeightAveraging(decay=0.8)
    fit(model, [average], validation_data=(X, Y))
    trajectory = plain_trajectory(optimizers.Adam(0.02, gradient_accumulation_steps=3))
    expected = moving_average(trajectory[::3], 0.8, True)
    assert_same(model.get_weights(), expected, rtol=1e-5, atol=1e-6)


def test_ema_moves_with_every_update_of_an_execution():
    several, one = build(steps_per_execution=4), build()
    for model in (several, one):
        fit(model, [WeightAveraging(decay=0.8)])
    assert_same(several.get_weights(), one.get_weights(), rtol=1e-6, atol=1e-7)


def test_swa_is_the_mean_over_epochs_and_leaves_training_alone():
    raw = Weights()
    fit(build(), [raw], epochs=5)
    model, weights = build(), Weights()
    fit(model, [WeightAveraging("swa", start_from_epoch=2), weights], epochs=5)
    assert_same(weights.ends[1], raw.ends[1])
    assert_same(weights.before[-1], raw.before[-1])
    for last in (2, 3, 4):
        mean = [np.mean(w, axis=0) for w in zip(*raw.ends[2 : last + 1], strict=True)]
        assert_same(weights.ends[last], mean, rtol=1e-5, atol=1e-6)


def test_swa_begins_after_three_quarters_of_the_epochs():
    average = WeightAveraging("swa")
    counts = []
    log = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: counts.append(average.count))
    fit(build(), [average, log], epochs=8)
    assert counts == [0, 0, 0, 0, 0, 0, 1, 2]


@pytest.mark.parametrize("kind", representative(["swa", "ema"], "swa"))
def test_statistics_of_the_first_normalisation_are_those_of_the_data(kind):
    raw = Weights()
    fit(build(norm=True), [raw])
    start = {"start_from_epoch": 0} if kind == "swa" else {}
    model, weights = build(norm=True), Weights()
    fit(model, [WeightAveraging(kind, data=X, **start), weights])
    kernel, bias = model.get_weights()[:2]
    hidden = np.tanh(X.astype("float64") @ kernel + bias)
    norm = model.layers[2]
    np.testing.assert_allclose(norm.moving_mean, hidden.mean(0), atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, hidden.var(0), rtol=1e-5)
    assert norm.momentum == 0.9
    trained = [i for i, w in enumerate(model.weights) if "moving" not in w.path]
    for i in trained:  # dropout and the training are as without averaging
        np.testing.assert_array_equal(weights.before[-1][i], raw.before[-1][i])


def test_statistics_from_batches_of_any_size_are_the_same():
    import tensorflow as tf

    from kerasrecipes.callbacks._batch_statistics import estimate

    found = []
    for data in (X, *(tf.data.Dataset.from_tensor_slices((X, Y)).batch(n) for n in (7, 48))):
        model = build(norm=True)
        estimate(model, data)
        found.append([model.layers[2].moving_mean.numpy(), model.layers[2].moving_variance.numpy()])
    assert_same(found[1], found[0], rtol=1e-5, atol=1e-6)
    assert_same(found[2], found[0], rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match="`data`"):
        estimate(model, X[:0])


@pytest.mark.parametrize("kind", representative(["ema", "swa"], "ema"))
def test_state_goes_on_bit_for_bit(kind):
    def make():
        return WeightAveraging(kind, **({"start_from_epoch": 1} if kind == "swa" else {}))

    class Bridge(keras.callbacks.Callback):
        """Saves or loads the state at the beginning of epoch 2, as Checkpoint does."""

        saved = None

        def __init__(self, average, *, load):
            super().__init__()
            self.average, self.load = average, load

        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.build(self.model.trainable_variables)
            variables = [*self.model.variables, *self.model.optimizer.variables]
            if epoch == 2 and not self.load:
                values = [v.numpy() for v in variables]
                Bridge.saved = self.average.state_dict(), values
            elif epoch == 2:
                state, values = Bridge.saved
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)
                self.average.load_state_dict(state)

    whole, average = build(), make()
    losses = fit(whole, [Bridge(average, load=False), average], epochs=4, validation_data=(X, Y))
    second, average = build(), make()
    use = [Bridge(average, load=True), average]
    again = fit(second, use, epochs=4, initial_epoch=2, validation_data=(X, Y))
    assert_same(second.get_weights(), whole.get_weights())
    assert again.history["val_loss"] == losses.history["val_loss"][2:]


def test_the_hook_leaves_with_the_fit_and_the_next_fit_starts_anew():
    model = build()
    average = WeightAveraging(decay=0.8)
    fit(model, [average], epochs=1)
    assert model.optimizer.hooks == ()
    start = model.get_weights()
    weights = Weights()
    fit(model, [weights], epochs=1)
    assert_same(weights.before[0], start)
    assert not np.allclose(weights.before[1][0], start[0])
    fit(model, [average], epochs=1)
    assert model.optimizer.hooks == ()


def test_an_exception_leaves_the_averages_in_the_model():
    class Break(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 4:
                raise RuntimeError("broken")

    model = build()
    with pytest.raises(RuntimeError, match="broken"):
        fit(model, [WeightAveraging(decay=0.8), Break()])
    trajectory = plain_trajectory(optimizers.Adam(0.02))[:5]
    expected = moving_average(trajectory, 0.8, True)
    assert_same(model.get_weights(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "mean"}, "`kind`"),
        ({"decay": 1.0}, "`decay`"),
        ({"warmup": 5}, "`warmup`"),
        ({"kind": "swa", "start_from_epoch": -1}, "`start_from_epoch`"),
        ({"kind": "ema", "start_from_epoch": 1}, "`start_from_epoch`"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        WeightAveraging(**arguments)


@pytest.mark.parametrize(
    ("model", "use", "message"),
    [
        (lambda: build(keras.optimizers.Adam()), ["ema"], "kerasrecipes.optimizers"),
        (lambda: build(keras.optimizers.Adam(use_ema=True)), ["swa"], "use_ema"),
        (lambda: build(optimizers.ScheduleFreeAdamW()), ["swa"], "ScheduleFreeAdamW"),
        (lambda: build(optimizers.Lookahead("adam")), ["ema"], "Lookahead"),
        (lambda: build(norm=True), ["swa"], "`data`"),
        (build, ["ema", "swa"], "only"),
    ],
)
def test_clashes_are_refused_before_training(model, use, message):
    model = model()
    before = model.get_weights()
    with pytest.raises(InputError, match=message):
        fit(model, [WeightAveraging(kind) for kind in use])
    assert_same(model.get_weights(), before)


def test_half_precision_weights_are_refused():
    keras.config.set_dtype_policy("bfloat16")
    with pytest.raises(InputError, match="mixed_bfloat16"):
        fit(build(), [WeightAveraging()])


def test_an_overflow_under_loss_scaling_does_not_move_the_average():
    keras.config.set_dtype_policy("mixed_float16")
    scaled = optimizers.LossScaleOptimizer(optimizers.Adam(0.02), initial_scale=2.0**60)
    model, average = build(scaled), WeightAveraging(decay=0.8)
    counts = []
    log = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: counts.append(average.count))
    fit(model, [average, log], epochs=12)
    assert counts[0] == 0
    assert 0 < counts[-1] == int(model.optimizer.iterations) < 72


def test_early_stopping_brings_averaged_weights_back():
    model, weights = build(optimizers.Adam(0.3)), Weights()
    stopping = callbacks.EarlyStopping("val_loss", patience=None)
    history = fit(
        model, [WeightAveraging(decay=0.9), stopping, weights], epochs=6, validation_data=(X, Y)
    )
    best = int(np.argmin(history.history["val_loss"]))
    assert stopping.best_epoch == best
    assert_same(model.get_weights(), weights.tests[best])
    loss = model.evaluate(X, Y, batch_size=8, verbose=0)
    assert loss == pytest.approx(history.history["val_loss"][best], rel=1e-6)


REPLICAS = """
from contextlib import nullcontext
from kerasrecipes.callbacks.weight_averaging import WeightAveraging
rng = np.random.default_rng(0)
x = rng.normal(size=(32, 4)).astype("float32")
y = x[:, :2]
found = {}
for kind in ("ema", "swa"):
    with strategy.scope() if strategy else nullcontext():
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(synchronized=True)]
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(2)])
        optimizer = kr.optimizers.SGD(0.1, gradient_accumulation_steps=2)
        model.compile(optimizer, "mse", jit_compile=False)
    extra = {"start_from_epoch": 1, "data": x} if kind == "swa" else {"decay": 0.8}
    average = WeightAveraging(kind, **extra)
    history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0,
                        validation_data=(x, y), callbacks=[average])
    found[kind] = [w.ravel().tolist() for w in model.get_weights()]
    found[kind].append(history.history["val_loss"])
report(**found)
"""


@pytest.mark.multi_device
def test_replicas_average_like_one():
    one, two = (run_on_replicas(REPLICAS, replicas=n) for n in (1, 2))
    for kind in ("ema", "swa"):
        for a, b in zip(one[kind], two[kind], strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
