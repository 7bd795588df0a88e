"""EarlyStopping, driven by scripted logs and by real fits."""

import keras
import numpy as np
import pytest

from kerasrecipes import callbacks
from kerasrecipes._checks import InputError


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
    with pytest.raises(InputError, match="Pass `validation_data` to `fit`"):
        play(callbacks.EarlyStopping(patience=2), [None] * 3)
    with pytest.raises(InputError, match="Pass `validation_data` to `fit`"):
        play(callbacks.EarlyStopping(patience=2), [1] + [None] * 11)


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


@pytest.mark.parametrize("patience", [None, 3])
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
