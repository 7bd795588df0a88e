"""Contracts that every public object of a kind must meet."""

import keras
import numpy as np
import pytest


def representative(cases, *kept):
    """Returns parameters for `parametrize`: all cases, those slow that are not kept for every run.

    For cases that go through the same code; `.ci/run` runs the slow ones too.
    """
    cases = list(cases)
    assert all(case in cases for case in kept), kept
    return [case if case in kept else pytest.param(case, marks=pytest.mark.slow) for case in cases]


class StopAt(keras.callbacks.Callback):
    """Interrupts the training at a batch of an epoch."""

    interrupted = False

    def __init__(self, epoch, batch):
        super().__init__()
        self.place = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            self.interrupted = self.model.stop_training = True


def check_config_round_trip(thing):
    """`from_config(get_config())` gives an object with the same config; returns it.

    Goes through `keras.saving`, so the class must be registered.
    """
    config = keras.saving.serialize_keras_object(thing)
    clone = keras.saving.deserialize_keras_object(config)
    assert type(clone) is type(thing)
    assert keras.saving.serialize_keras_object(clone) == config
    return clone


def check_save_round_trip(model, x, tmp_path, *, atol=1e-6):
    """A saved and loaded model predicts the same; returns the loaded model."""
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    before, after = model.predict(x, verbose=0), loaded.predict(x, verbose=0)
    for a, b in zip(keras.tree.flatten(before), keras.tree.flatten(after), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=atol)
    return loaded


def check_layer(layer, x, tmp_path, *, learns=True):
    """Config, static shape, save and load, mixed precision, and a few updates that learn."""
    clone = check_config_round_trip(layer)
    inputs = keras.Input(x.shape[1:], dtype=x.dtype)
    model = keras.Model(inputs, clone(inputs))
    y = model.predict(x, verbose=0)
    assert tuple(model.output_shape[1:]) == y.shape[1:]
    check_save_round_trip(model, x, tmp_path)
    check_mixed_precision(layer, x)
    if learns:
        check_learns(layer, x)


def check_mixed_precision(layer, x):
    """Under mixed_float16 the layer computes in float16, keeps float32 weights, stays finite."""
    config = {**layer.get_config(), "dtype": "mixed_float16"}
    half = type(layer).from_config(config)
    y = half(keras.ops.convert_to_tensor(x))
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert all(w.dtype == "float32" for w in half.weights if "float" in w.dtype)
    assert np.isfinite(keras.ops.convert_to_numpy(keras.ops.cast(y, "float32"))).all()


def check_learns(layer, x, *, steps=60):
    """A linear head on the layer fits a random linear target better after training."""
    clone = type(layer).from_config(layer.get_config())
    inputs = keras.Input(x.shape[1:], dtype=x.dtype)
    outputs = keras.layers.Dense(1)(keras.layers.Flatten()(clone(inputs)))
    model = keras.Model(inputs, outputs)
    flat = np.asarray(x, "float32").reshape(len(x), -1)
    y = flat @ np.random.default_rng(0).normal(size=(flat.shape[1], 1)).astype("float32")
    y = (y - y.mean()) / y.std()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    first = model.evaluate(x, y, verbose=0)
    for _ in range(steps):
        model.train_on_batch(x, y)
    assert model.evaluate(x, y, verbose=0) < 0.9 * first
    return model


def numeric_gradient(function, x, *, eps=1e-6):
    """Central differences of a scalar function of a float64 NumPy array."""
    x = np.array(x, "float64")
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += eps
        down[index] -= eps
        gradient[index] = (function(up) - function(down)) / (2 * eps)
    return gradient
