"""The faults of KERAS-DEFECTS.md, table Callbacks and schedules, as far as they are mended."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
DATA = {"x": X, "y": X[:, :1], "verbose": 0}
VALIDATION = {"validation_data": (X, X[:, :1])}


def linear_model(optimizer="sgd"):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def script(callback, values):
    """Feeds a callback one monitored value per epoch; returns the epochs it let pass."""
    model = linear_model()
    callback.set_model(model)
    callback.set_params({"epochs": len(values), "steps": 1})
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.layers[0].bias.assign([float(epoch)])
        callback.on_epoch_end(epoch, {"loss": 1.0, "val_loss": value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch + 1, float(model.layers[0].bias.numpy()[0])


def test_c2_nan_in_the_first_epoch_is_never_the_best():
    values = [float("nan"), 3.0, 2.0, 1.0, 5.0]
    plain = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    assert script(plain, values)[0] < 5, "Keras mended C2"
    assert script(kr.callbacks.EarlyStopping("val_loss", patience=2), values) == (5, 3.0)


def test_c3_direction_of_custom_names_is_known_before_training():
    plain = keras.callbacks.EarlyStopping("val_auc_1", patience=1)
    plain.set_model(linear_model())
    with pytest.raises(ValueError, match="auc_1"):
        plain.on_epoch_end(0, {"val_auc_1": 0.5})
    assert kr.callbacks.direction("val_auc_1") == "max"
    with pytest.raises(InputError, match="mode='min' or mode='max'"):
        kr.callbacks.EarlyStopping("val_joy")


def test_c4_a_misspelt_monitor_is_an_error():
    plain = keras.callbacks.EarlyStopping("val_los", mode="min", patience=0)
    with pytest.warns(UserWarning, match="val_los"):
        history = linear_model().fit(**DATA, **VALIDATION, epochs=3, callbacks=[plain])
    assert len(history.epoch) == 3, "Keras mended C4"
    ours = kr.callbacks.EarlyStopping("val_los", mode="min")
    with pytest.raises(InputError, match="Did you mean 'val_loss'"):
        linear_model().fit(**DATA, **VALIDATION, callbacks=[ours])


def test_c5_the_rate_of_a_schedule_is_in_history():
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    plain = linear_model(keras.optimizers.SGD(rate)).fit(**DATA).history
    assert "learning_rate" not in plain, "Keras mended C5"
    log = [kr.callbacks.LearningRateLog()]
    ours = linear_model(keras.optimizers.SGD(rate)).fit(**DATA, callbacks=log).history
    assert ours["learning_rate"] == pytest.approx([0.05])


def test_c6_start_beyond_the_last_epoch_still_brings_the_best_weights_back():
    values = [2.0, 1.0, 3.0]
    arguments = {"patience": 1, "start_from_epoch": 99}
    plain = keras.callbacks.EarlyStopping("val_loss", restore_best_weights=True, **arguments)
    assert script(plain, values) == (3, 2.0), "Keras mended C6"
    assert script(kr.callbacks.EarlyStopping("val_loss", **arguments), values) == (3, 1.0)
