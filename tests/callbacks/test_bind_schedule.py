"""BindSchedule in fits that go on; its first fit is in test_standard.py."""

import functools

import keras
import numpy as np
import pytest

from kerasrecipes import callbacks, optimizers, schedules
from kerasrecipes.recipes import RecipeModel
from tests.harness import StopAt, representative

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
DATA = {"x": X, "y": X[:, :1], "batch_size": 8, "verbose": 0, "shuffle": False}  # 4 steps


def train(folder, make, *others, epochs=5, every=1, x=X):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    model = RecipeModel(inputs, keras.layers.Dense(1)(inputs))
    model.compile(make(schedules.Cosine(0.1)), "mse")
    several = [callbacks.Checkpoint(folder, every=every), callbacks.BindSchedule()]
    several += [callbacks.LearningRateLog(), *others]
    fitted = model.fit(**{**DATA, "x": x}, epochs=epochs, callbacks=several)
    return fitted.history, [w.tobytes() for w in model.get_weights()], several[0].resumed


MAKERS = [
    keras.optimizers.Adam,
    optimizers.Adam,
    lambda rate: optimizers.Adam(rate, gradient_accumulation_steps=2),
]
PLACES = [(1, (2, 2)), pytest.param(3, (3, 0), marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What a fit that nothing interrupts ends with, by what makes its optimizer."""

    @functools.cache
    def end(make):
        return list(train(tmp_path_factory.mktemp("whole"), make)[:2])

    return end


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("batch", "place"), PLACES)
def test_a_resumed_fit_has_the_rates_of_the_whole_one(tmp_path, uninterrupted, make, batch, place):
    whole = uninterrupted(make)
    train(tmp_path / "parts", make, StopAt(2, batch))
    *parts, resumed = train(tmp_path / "parts", make)
    assert resumed == place
    assert parts == whole


@pytest.mark.parametrize("batch", representative([1, 3], 1))
def test_skipped_updates_do_not_move_the_schedule_of_a_resumed_fit(tmp_path, batch):
    x = X.copy()
    x[9] = np.nan  # one batch of four is skipped

    def guarded(folder, *others):
        return train(folder, optimizers.Adam, callbacks.NonFinite("skip"), *others, x=x)[:2]

    history, weights = guarded(tmp_path / "whole")
    expected = [0.1 * (1 + np.cos(np.pi * 3 * e / 20)) / 2 for e in range(1, 6)]
    np.testing.assert_allclose(history["learning_rate"], expected, rtol=1e-5)
    guarded(tmp_path / "parts", StopAt(2, batch))
    rest, resumed_weights = guarded(tmp_path / "parts")
    assert rest["learning_rate"] == history["learning_rate"]
    assert resumed_weights == weights


@pytest.mark.parametrize("batch", representative([1, 3], 3))
def test_a_fit_of_more_epochs_goes_on_along_the_longer_schedule(tmp_path, batch):
    train(tmp_path, optimizers.Adam, StopAt(2, batch))
    rates = train(tmp_path, optimizers.Adam, epochs=8)[0]["learning_rate"]
    expected = [0.1 * (1 + np.cos(np.pi * e / 8)) / 2 for e in range(4, 9)]
    np.testing.assert_allclose(rates[3:], expected, atol=1e-8)
