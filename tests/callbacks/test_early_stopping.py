"""EarlyStopping, driven by scripted logs and by real fits."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import callbacks
from kerasrecipes._checks import InputError
from tests.harness import representative
from tests.replicas import run_on_replicas


class Recorder:
    """Stands for a model: one weight, which is set to the epoch's number before its end."""

    def __init__(self):
        self.weight = keras.Variable(-1.0)
        self.weights = [self.weight]
        self.stop_training = False


def play(stopping, values, *, epochs=None, name="val_loss"):
    """Runs scripted epochs; returns the epochs trained and the final weight."""
    model = Recorder()
    stopping.set_model(model)
    stopping.set_params({"epochs": epochs or len(values)})
    stopping.on_train_begin()
    for epoch, value in enumerate(values):
        model.weight.assign(epoch)
        logs = {"loss": 1.0, name.removeprefix("val_"): 1.0}
        stopping.on_epoch_end(epoch, logs if value is None else {**logs, name: value})
        if model.stop_training:
            break
    stopping.on_train_end()
    return epoch + 1, int(model.weight.numpy())


NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "patience", "trained", "best"),
    [
        ([3, 2, 1, 1, 1, 0], 2, 5, 2),
        ([3, 2, 1, 1.5, 0.5, 2, 2], 2, 7, 4),
        ([1, 2, 3], None, 3, 0),
        ([1, 2, 3], 0, 2, 0),
        ([3, 2, 1], 2, 3, 2),
        ([NAN, 2, 1, 3, 3], 2, 5, 2),
        ([NAN, NAN, 1], 5, 3, 2),
        ([2, NAN, NAN, 1], 2, 3, 0),
        ([2, float("-inf"), 3], 2, 3, 0),
    ],
)
def test_patience_and_best_weights(values, patience, trained, best):
    stopping = callbacks.EarlyStopping(patience=patience)
    assert play(stopping, values) == (trained, best)
    assert stopping.best_epoch == best
    assert stopping.best == values[best]


def test_of_equal_epochs_the_first_or_the_last_is_best():
    values = [0.5, 0.75, 0.7, 0.75, 0.75, 0.6]
    for ties, best in (("first", 1), ("last", 4)):
        stopping = callbacks.EarlyStopping("val_accuracy", patience=None, ties=ties)
        assert play(stopping, values, name="val_accuracy") == (6, best)
    # A tie is no improvement.
    stopping = callbacks.EarlyStopping("val_accuracy", patience=2, ties="last")
    assert play(stopping, [0.5, 0.5, 0.5, 0.5], name="val_accuracy") == (3, 2)
    with pytest.raises(InputError, match="`ties` must be one of 'first', 'last'"):
        callbacks.EarlyStopping(ties="latest")


def test_maximum_min_delta_and_late_start():
    stopping = callbacks.EarlyStopping("val_accuracy", patience=2, min_delta=0.1)
    assert play(stopping, [0.5, 0.55, 0.58, 0.9], name="val_accuracy") == (3, 0)
    late = callbacks.EarlyStopping(patience=1, start_from_epoch=3)
    assert play(late, [1, 2, 3, 4, 5]) == (4, 0)
    beyond = callbacks.EarlyStopping(patience=1, start_from_epoch=99)
    assert play(beyond, [2, 1, 3]) == (3, 1)


def test_reason():
    stopping = callbacks.EarlyStopping(patience=2)
    play(stopping, [1, 2, 3, 4])
    assert stopping.reason == "val_loss has not improved for 2 epochs"
    assert stopping.stopped_epoch == 2
    play(stopping, [3, 2])
    assert stopping.reason == "all epochs were trained"
    assert stopping.stopped_epoch is None
    play(stopping, [3, 2], epochs=9)
    assert stopping.reason == "training was stopped"
    play(stopping, [NAN, NAN])
    assert "never finite, so the last weights stay" in stopping.reason


def test_epochs_without_validation_do_not_count():
    stopping = callbacks.EarlyStopping(patience=2)
    assert play(stopping, [3, None, 2, None, 1]) == (5, 4)
    assert play(callbacks.EarlyStopping(patience=2), [1] + [None] * 21 + [2, 3]) == (24, 0)


def test_a_fit_without_validation_is_refused_before_training():
    stopping = callbacks.EarlyStopping()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, before = np.ones((4, 1)), model.get_weights()
    with pytest.raises(InputError, match="Pass `validation_data`"):
        model.fit(x, x, verbose=0, callbacks=[stopping])
    assert model.get_weights() == before
    fit = {"epochs": 24, "validation_freq": 12, "verbose": 0, "validation_split": 0.5}
    assert model.fit(x, x, **fit, callbacks=[stopping]).epoch == list(range(24))


def test_what_reaches_the_threshold_is_the_best():
    stopping = callbacks.EarlyStopping(
        "val_accuracy", min_delta=0.1, stopping_threshold=0.9, patience=5
    )
    assert play(stopping, [0.85, 0.9], name="val_accuracy") == (2, 1)


def test_one_monitor_given_twice_is_refused():
    with pytest.raises(InputError, match="different names"):
        play(callbacks.EarlyStopping([None, "val_loss"]), [1, 2])


def test_misspelt_monitor_is_an_error_in_the_first_epoch():
    with pytest.raises(InputError, match="Did you mean 'val_loss'"):
        play(callbacks.EarlyStopping("val_los", mode="min"), [1, 2, 3])


def test_batch_norm_statistics_come_back_as_well():
    x = np.random.default_rng(0).normal(3, 2, size=(64, 3)).astype("float32")
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(3.0), "mse")
    kept = {}

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept[epoch] = [w.numpy() for w in self.model.weights]

    stopping = callbacks.EarlyStopping(patience=2)
    model.fit(
        x,
        x[:, :1],
        epochs=20,
        validation_data=(x, x[:, :1]),
        verbose=0,
        callbacks=[Keep(), stopping],
    )
    for weight, value in zip(model.weights, kept[stopping.best_epoch], strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patience": -1}, "`patience` must be an integer >= 0"),
        ({"patience": 2.5}, "`patience`"),
        ({"start_from_epoch": -1}, "`start_from_epoch`"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(InputError, match=message):
        callbacks.EarlyStopping(**arguments)


@pytest.mark.parametrize("patience", representative([None, 3], 3))
def test_validation_freq(patience):
    x = np.ones((8, 1))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    stopping = callbacks.EarlyStopping(patience=patience)
    fit = {"validation_data": (x, x), "validation_freq": 5, "epochs": 12, "verbose": 0}
    model.fit(x, x, callbacks=[stopping], **fit)
    assert stopping.best_epoch in (4, 9)


def test_averaged_weights_do_not_replace_the_best():
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01, use_ema=True), "mse")
    stopping = callbacks.EarlyStopping()
    data = {"validation_data": (x, x[:, :1]), "epochs": 4, "verbose": 0}
    model.fit(x, x[:, :1], callbacks=[stopping], **data)
    assert stopping.best_epoch == 3
    assert model.evaluate(x, x[:, :1], verbose=0) == pytest.approx(stopping.best, rel=1e-5)


def stop(values, **arguments):
    """Returns the epochs trained, the epoch whose weights came back, and the reason."""
    stopping = callbacks.EarlyStopping(**arguments)
    return *play(stopping, values), stopping.reason


def test_baseline():
    values = [9, 8, 7, 4, 3.9, 3.8, 5, 5, 5, 5, 5]
    trained, best, reason = stop(values, patience=4, baseline=5)
    assert (trained, best) == (10, 5)
    assert reason == "val_loss has not improved for 4 epochs"
    trained, best, reason = stop(values, patience=3, baseline=1)
    assert (trained, best) == (3, 2)
    assert reason == "val_loss has not been better than 1 for 3 epochs"
    assert stop([5, 4.9, 4.8], patience=2, baseline=5, min_delta=0.05)[:2] == (3, 2)
    assert stop([5, 4.96, 4.96], patience=2, baseline=5, min_delta=0.05)[:2] == (2, 0)
    assert stop([NAN, NAN, 1], patience=2, baseline=5)[0] == 2


@pytest.mark.parametrize(
    ("values", "arguments", "trained", "reason"),
    [
        ([3, 2, 1, 0], {"stopping_threshold": 1}, 3, "val_loss has reached 1"),
        ([3, 1.1, 0.5, 0], {"stopping_threshold": 1, "start_from_epoch": 9}, 3, "has reached 1"),
        ([3, float("-inf"), 1], {"stopping_threshold": 1}, 3, "val_loss has reached 1"),
        ([3, 2, 5.5, 0], {"divergence_threshold": 5}, 3, "val_loss is worse than 5"),
        ([5, 5, 5], {"divergence_threshold": 5}, 3, "all epochs"),
        ([3, NAN, 1], {"divergence_threshold": 5}, 2, "val_loss is not finite"),
        ([9, NAN, 3, 6], {"divergence_threshold": 5, "start_from_epoch": 2}, 4, "worse than 5"),
    ],
)
def test_thresholds(values, arguments, trained, reason):
    ended = stop(values, **arguments)
    assert ended[0] == trained
    assert reason in ended[2]


def test_thresholds_of_what_is_to_be_large():
    stopping = callbacks.EarlyStopping(
        "val_accuracy", stopping_threshold=0.9, divergence_threshold=0.1
    )
    assert play(stopping, [0.5, 0.9, 1], name="val_accuracy") == (2, 1)
    assert play(stopping, [0.5, 0.05, 1], name="val_accuracy") == (2, 0)


def several(stopping, losses, accuracies, *, first=0, state=None):
    """Runs epochs from `first` on with two metrics; returns the last epoch and its state."""
    model = Recorder()
    stopping.set_model(model)
    stopping.set_params({"epochs": len(losses)})
    stopping.on_train_begin()
    if state is not None:
        stopping.load_state_dict(state)
    for epoch in range(first, len(losses)):
        model.weight.assign(epoch)
        stopping.on_epoch_end(epoch, {"val_loss": losses[epoch], "val_accuracy": accuracies[epoch]})
        if model.stop_training:
            break
    state = stopping.state_dict()
    stopping.on_train_end()
    return epoch, int(model.weight.numpy()), state


LOSSES = [3, 2, 2, 2, 2, 2, 2, 2]
ACCURACIES = [0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.3, 0.9]


def test_several_monitors():
    names = ["val_loss", "val_accuracy"]
    stopping = callbacks.EarlyStopping(names, patience=2)
    assert several(stopping, LOSSES, ACCURACIES)[:2] == (6, 1)
    assert stopping.reason == "val_loss and val_accuracy have not improved for 2 epochs"
    assert (stopping.best, stopping.best_epoch) == (2, 1)
    assert several(callbacks.EarlyStopping(names[::-1], patience=2), LOSSES, ACCURACIES)[1] == 4
    coarse = callbacks.EarlyStopping(names, patience=2, min_delta=[0.0, 0.15], mode=["min", "auto"])
    assert several(coarse, LOSSES, ACCURACIES)[0] == 3
    with pytest.raises(InputError, match="Did you mean 'val_accuracy'"):
        several(callbacks.EarlyStopping(["val_loss", "val_acuracy"], mode="min"), [1], [1])


def test_last_weights_stay_if_asked():
    stopping = callbacks.EarlyStopping(patience=2, restore_best_weights=False)
    assert play(stopping, [1, 2, 3, 4]) == (3, 2)
    assert stopping.best_epoch == 0
    assert stopping.best_weights is None


@pytest.mark.parametrize("stopped", range(1, 7))
def test_state_goes_on(stopped):
    def make():
        return callbacks.EarlyStopping(["val_loss", "val_accuracy"], patience=2)

    end = several(make(), LOSSES, ACCURACIES)
    *_, state = several(make(), LOSSES[:stopped], ACCURACIES[:stopped])
    assert isinstance(state["best_weights"][0], np.ndarray)
    assert several(make(), LOSSES, ACCURACIES, first=stopped, state=state) == end


def test_state_of_other_monitors_is_refused():
    state = callbacks.EarlyStopping(["val_loss", "val_accuracy"]).state_dict()
    with pytest.raises(InputError, match="is for 2 monitors. Received: 1"):
        callbacks.EarlyStopping("val_loss").load_state_dict(state)
    with pytest.raises(InputError, match="is for monitor='val_loss'. Received: 'loss'"):
        callbacks.EarlyStopping(["loss", "val_loss"]).load_state_dict(state)


def recipe(**arguments):
    keras.utils.set_random_seed(3)
    target = kr.targets.Regression()
    return kr.recipes.mlp((3,), target, hidden=(4,), seed=1, **arguments)


X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
FIT = {"x": X, "y": X[:, :1], "validation_data": (X[:20], X[:20, :1] + 1), "verbose": 0}


class Fail(keras.callbacks.Callback):
    """Spoils the weights and raises in the given batch of the given epoch."""

    def __init__(self, epoch, error):
        super().__init__()
        self.epoch, self.error = epoch, error

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, 1):
            for weight in self.model.weights:
                weight.assign(weight * 0 + 7)
            raise self.error


ERRORS = [RuntimeError("on purpose"), KeyboardInterrupt(), SystemExit(3)]


@pytest.mark.parametrize("error", representative(ERRORS, ERRORS[0]))
def test_best_weights_come_back_after_an_exception(error):
    model, stopping = recipe(), callbacks.EarlyStopping()
    with pytest.raises(type(error)):
        model.fit(**FIT, epochs=9, callbacks=[stopping, Fail(4, error)])
    assert stopping.reason == "an exception ended the training"
    expected = pytest.approx(stopping.best, rel=1e-5)
    assert model.evaluate(*FIT["validation_data"], verbose=0, return_dict=True)["loss"] == expected


def test_an_exception_in_the_first_epoch_leaves_the_weights():
    model, stopping = recipe(), callbacks.EarlyStopping()
    with pytest.raises(RuntimeError):
        model.fit(**FIT, callbacks=[stopping, Fail(0, RuntimeError())])
    assert {float(w.numpy().flat[0]) for w in model.weights} == {7.0}


def test_close_after_an_ordinary_end_does_nothing():
    stopping = callbacks.EarlyStopping()
    play(stopping, [1, 2, 3])
    stopping.model.weight.assign(99)
    reason = stopping.reason
    stopping.close()
    assert (int(stopping.model.weight.numpy()), stopping.reason) == (99, reason)


@pytest.mark.parametrize("patience", representative([2, 99], 99))
def test_a_finished_run_that_is_started_again_has_the_best_weights(tmp_path, patience):
    def train():
        model, stopping = recipe(learning_rate=0.3), callbacks.EarlyStopping(patience=patience)
        both = [callbacks.Checkpoint(tmp_path), stopping]
        history = model.fit(**FIT, epochs=12, shuffle=False, callbacks=both).history
        weights = [w.tobytes() for w in model.get_weights()]
        ended = stopping.best, stopping.best_epoch, stopping.stopped_epoch, stopping.reason
        return history, weights, ended, both[0].resumed

    *first, resumed = train()
    *again, resumed_again = train()
    assert again == first
    assert first[2][1] < len(first[0]["loss"]) - 1, "the best epoch is the last: a weak test"
    assert (resumed is None, resumed_again is None) == (True, False)


def test_keeping_the_best_makes_no_copy_on_the_host(monkeypatch):
    model, stopping = recipe(), callbacks.EarlyStopping("loss")
    model.fit(**FIT, callbacks=[stopping])
    stopping.on_train_begin()
    for name in ("get_weights", "save_weights"):
        monkeypatch.setattr(model, name, None)
    monkeypatch.setattr(keras.ops, "convert_to_numpy", None)
    stopping.on_epoch_end(0, {"loss": 1.0})
    kinds = {type(value).__module__.split(".")[0] for value in stopping.best_weights}
    assert kinds == {"tensorflow"}


@pytest.mark.multi_device
def test_replicas():
    code = """
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    model = kr.recipes.mlp(
        (3,), kr.targets.Regression(), hidden=(4,), seed=1, strategy=strategy,
        learning_rate=0.1,
    )
    kept = {}
    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept[epoch] = self.model.get_weights()
    data = {"validation_data": (x[:20], x[:20, :1] + 1), "verbose": 0, "epochs": 30}
    stopping = kr.callbacks.EarlyStopping(patience=3)
    trained = model.fit(x, x[:, :1], callbacks=[Keep(), stopping], **data).epoch
    best = stopping.best_epoch
    equal = all((a == b).all() for a, b in zip(model.get_weights(), kept[best]))
    copies = [
        len({w.value.values[i].numpy().tobytes() for i in range(2)}) for w in model.weights
    ]
    report(trained=len(trained), best=best, equal=equal, copies=copies)
    """
    end = run_on_replicas(code, replicas=2)
    assert end["equal"]
    assert set(end["copies"]) == {1}
    assert end["trained"] == end["best"] + 4 < 30


BAD = [
    ({"monitor": []}, "`monitor`"),
    ({"monitor": ["loss", "loss"]}, "`monitor` must be the name of a log entry, or different"),
    ({"monitor": ["loss", 3]}, "`monitor`"),
    ({"monitor": ["loss", "acc"], "mode": ["min"]}, "`mode` must be one for all"),
    ({"monitor": ["loss", "joy"]}, "`mode` is needed for monitor='joy'"),
    ({"min_delta": [0.0, 1.0]}, "`min_delta` must be one for all"),
    ({"baseline": "low"}, "`baseline`"),
    ({"stopping_threshold": NAN}, "`stopping_threshold`"),
    ({"divergence_threshold": True}, "`divergence_threshold`"),
    ({"restore_best_weights": "yes"}, "`restore_best_weights`"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_for_the_new_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        callbacks.EarlyStopping(**arguments)


def test_averaging_optimizers_end_at_the_average_after_an_exception():
    model, stopping = recipe(optimizer="schedule_free_adamw"), callbacks.EarlyStopping()
    with pytest.raises(RuntimeError):
        model.fit(**FIT, epochs=9, callbacks=[stopping, Fail(4, RuntimeError())])
    assert float(model.optimizer.is_average) == 1.0
    loss = model.evaluate(*FIT["validation_data"], verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(stopping.best, rel=1e-5)
