"""A fit that fails leaves nothing behind, for models of plain Keras too."""

import gc

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import callbacks
from kerasrecipes._checks import InputError
from tests.harness import representative

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
Y = X[:, :1]
SPOILT = np.where(np.arange(32)[:, None] == 9, np.nan, X).astype("float32")


class Fail(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if batch == 3:
            raise KeyboardInterrupt


def make():
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Dense(2, name="low"), keras.layers.Dense(1, name="head")]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(kr.optimizers.SGD(0.01, momentum=0.0), "mse")
    return model


def fit(model, *several, x=X):
    fit = {"batch_size": 8, "epochs": 3, "verbose": 0, "shuffle": False}
    return model.fit(x, Y, callbacks=list(several), **fit)


def failing(model, *several, x=X):
    try:
        fit(model, *several, Fail(), x=x)
    except KeyboardInterrupt:
        return
    raise AssertionError("the fit did not fail")


CHANGES = {  # what changes the model, the optimizer or the process for the length of a fit
    "NonFinite": lambda: callbacks.NonFinite(),
    "SpikeGuard": lambda: callbacks.SpikeGuard(),
    "WeightAveraging": lambda: callbacks.WeightAveraging(),
    "GradualUnfreeze": lambda: callbacks.GradualUnfreeze({0: "head", 1: "all"}),
    "Interrupt": lambda: callbacks.Interrupt(),
}


@pytest.mark.parametrize("name", representative(CHANGES, "NonFinite", "GradualUnfreeze"))
def test_the_next_fit_is_as_if_nothing_had_been(name):
    model = make()
    before = model.get_weights()
    failing(model, CHANGES[name](), x=SPOILT if name == "NonFinite" else X)
    assert model.optimizer.hooks == ()
    assert all(layer.trainable for layer in model.layers)
    model.set_weights(before)
    fit(model)
    fresh = make()
    fit(fresh)
    for weight, expected in zip(model.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_hooks_of_a_fit_whose_error_is_still_held_are_removed_by_the_next():
    model = make()
    with pytest.raises(KeyboardInterrupt) as held:
        fit(model, callbacks.NonFinite(), Fail(), x=SPOILT)
    assert len(model.optimizer.hooks) == 1
    guard = callbacks.NonFinite()
    before = model.get_weights()
    fit(model, guard)
    assert model.optimizer.hooks == ()
    assert not np.array_equal(model.get_weights()[0], before[0])
    del held


def test_an_error_that_is_dropped_late_does_not_close_the_fit_after():
    model, guard = make(), callbacks.NonFinite()
    with pytest.raises(KeyboardInterrupt) as held:
        fit(model, guard, Fail())
    hold = [held]
    del held

    class Drop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            hold.clear()
            gc.collect()
            assert len(self.model.optimizer.hooks) == 1

    fit(model, guard, Drop())


def test_best_weights_come_back_to_plain_models_after_an_exception():
    model, kept = make(), {}

    class Worsen(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                kept["weights"] = self.model.get_weights()
                self.model.set_weights([10 + w for w in kept["weights"]])

        def on_train_batch_begin(self, batch, logs=None):
            if "weights" in kept:
                raise KeyboardInterrupt

    stopping = callbacks.EarlyStopping("loss")
    try:
        fit(model, stopping, Worsen())
    except KeyboardInterrupt:
        pass
    assert stopping.reason == "an exception ended the training"
    for weight, expected in zip(model.get_weights(), kept["weights"], strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_a_check_that_refuses_leaves_nothing():
    model = make()
    order = [callbacks.WeightAveraging(), callbacks.NonFinite(), callbacks.Progress()]
    with pytest.raises(InputError, match="Put LearningRateLog before Progress"):
        fit(model, *order, callbacks.LearningRateLog(), callbacks.CallbackCheck())
    gc.collect()
    fit(model, callbacks.NonFinite())
    assert model.optimizer.hooks == ()


def test_a_close_that_fails_hides_no_error_and_leaves_none_open():
    class Bad(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("the first error")

        def close(self):
            raise OSError("cannot close")

    model = kr.recipes.mlp((3,), kr.targets.Regression(), hidden=(2,), seed=0)
    stopping = callbacks.EarlyStopping("loss")
    with (
        pytest.raises(RuntimeError, match="the first error"),
        pytest.warns(UserWarning, match=r"`close` of Bad failed: OSError\('cannot close'\)"),
    ):
        fit(model, Bad(), stopping)
    assert stopping.reason == "an exception ended the training"
