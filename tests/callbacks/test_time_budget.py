"""TimeBudget, on a clock that the tests move."""

import datetime
import time
import types

import keras
import numpy as np
import pytest

from kerasrecipes import callbacks
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks import time_budget
from kerasrecipes.callbacks.time_budget import TimeBudget

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
DATA = {"x": X, "y": X[:, :1], "batch_size": 8, "verbose": 0, "shuffle": False}
VALIDATION = {"validation_data": (X, X[:, :1] + 1)}


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless it is moved."""
    clock = types.SimpleNamespace(now=100.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(time_budget, "time", clock)
    return clock


def play(clock, budget, *, batches, batch, end, epochs=50, state=None, first=0):
    """Runs epochs of so many batches on the clock; returns the batches of each and the time."""
    model = types.SimpleNamespace(stop_training=False)
    budget.set_model(model)
    budget.set_params({"epochs": epochs})
    begun = clock.now
    budget.on_train_begin()
    if state is not None:
        budget.load_state_dict(state)
    done = []
    for epoch in range(first, epochs):
        budget.on_epoch_begin(epoch)
        done.append(0)
        for index in range(batches):
            budget.on_train_batch_begin(index)
            clock.now += batch
            done[-1] += 1
            if model.stop_training:
                break
        clock.now += end / 2  # validation
        budget.on_epoch_end(epoch)
        clock.now += end / 2  # what comes after the callback
        if model.stop_training:
            break
    return done, clock.now - begun


def test_stops_between_epochs_when_another_would_not_fit(clock):
    # An epoch takes 10 + 2 s. After the first its second half of the end, 1 s, is not known yet.
    budget = TimeBudget(100)
    done, seconds = play(clock, budget, batches=10, batch=1, end=2)
    assert (done, seconds) == ([10] * 8, 96)
    assert budget.interrupted
    done, seconds = play(clock, TimeBudget(97), batches=10, batch=1, end=2)
    assert seconds <= 97
    assert set(done) == {10}


@pytest.mark.parametrize("seconds", [13.5, 20, 24.9, 40, 77.7, 200])
def test_is_never_late_once_it_knows_an_epoch(clock, seconds):
    done, spent = play(clock, TimeBudget(seconds), batches=10, batch=1, end=2)
    assert spent <= seconds
    assert spent + 12 * 1.1 > seconds - 1
    assert set(done) == {10}


def test_stops_within_the_first_epoch_when_the_time_is_up(clock):
    budget = TimeBudget(4.5)
    assert play(clock, budget, batches=10, batch=1, end=2) == ([6], 8.0)
    assert budget.interrupted


def test_a_slow_epoch_is_broken_off_in_time_for_its_validation(clock):
    budget = TimeBudget(40)
    model = types.SimpleNamespace(stop_training=False)
    budget.set_model(model)
    budget.set_params({"epochs": 9})
    budget.on_train_begin()
    for epoch, batch in enumerate((1, 20)):
        budget.on_epoch_begin(epoch)
        for index in range(5):
            budget.on_train_batch_begin(index)
            clock.now += batch
            if model.stop_training:
                break
        clock.now += 3
        budget.on_epoch_end(epoch)
    assert (epoch, index) == (1, 2)  # 8 + 20 + 20 s are over before the third batch
    assert model.stop_training


def test_all_epochs_within_the_budget(clock):
    budget = TimeBudget(37)
    assert play(clock, budget, batches=10, batch=1, end=2, epochs=3) == ([10] * 3, 36)
    assert not budget.interrupted


def test_each_process_has_the_whole_budget_and_knows_an_epoch(clock):
    def first():
        budget = TimeBudget(30)
        return budget, play(clock, budget, batches=10, batch=1, end=2)

    budget, whole = first()
    assert whole == ([10, 10], 24)
    again = TimeBudget(30)
    state = budget.state_dict()
    assert play(clock, again, batches=10, batch=1, end=2, state=state, first=2) == whole
    tight = TimeBudget(11)
    done = play(clock, tight, batches=10, batch=1, end=2, state=state, first=2)
    assert done == ([9], 11.0)


def test_units():
    assert TimeBudget(datetime.timedelta(minutes=1.5)).seconds == 90.0
    assert TimeBudget(3).seconds == 3.0


def linear_model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


class Wait(keras.callbacks.Callback):
    """Takes a tenth of a second for each batch."""

    def on_train_batch_begin(self, batch, logs=None):
        time.sleep(0.1)


@pytest.mark.slow
def test_a_real_fit_ends_in_time_with_the_best_weights():
    model, budget = linear_model(), TimeBudget(3.0)
    stopping = callbacks.EarlyStopping()
    begun = time.monotonic()
    history = model.fit(
        **DATA, **VALIDATION, epochs=1000, callbacks=[budget, Wait(), stopping]
    ).history
    assert time.monotonic() - begun < 6.0  # building, and the first epoch on a busy machine
    assert 1 <= len(history["loss"]) < 10
    assert budget.interrupted
    assert stopping.reason == "training was stopped"
    assert model.evaluate(*VALIDATION["validation_data"], verbose=0) == pytest.approx(
        stopping.best, rel=1e-5
    )


@pytest.mark.slow
def test_checkpoint_goes_on_from_there(tmp_path, clock):
    class Clock(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            clock.now += 1

    def train(folder, seconds):
        model, budget = linear_model(), TimeBudget(seconds)
        checkpoint = callbacks.Checkpoint(folder)
        fitted = model.fit(**DATA, **VALIDATION, epochs=6, callbacks=[checkpoint, budget, Clock()])
        weights = [w.tobytes() for w in model.get_weights()]
        return fitted.history, weights, checkpoint.resumed

    *whole, _ = train(tmp_path / "whole", 1e6)
    resumed = []
    for _ in range(20):
        *end, place = train(tmp_path / "parts", 5.5)
        resumed.append(place)
        if len(end[0]["loss"]) == 6:
            break
    assert end == whole
    assert resumed == [None, (1, 0), (2, 0), (3, 0), (4, 0), (5, 0)]


@pytest.mark.parametrize("seconds", [0, -1, "2h", float("nan"), None, datetime.timedelta(0)])
def test_bad_input(seconds):
    with pytest.raises(InputError, match="`seconds` must be a number > 0"):
        TimeBudget(seconds)
