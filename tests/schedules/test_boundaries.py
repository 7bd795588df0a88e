"""Lengths of nothing, and very many updates."""

import numpy as np
import pytest
from keras import ops

from kerasrecipes import schedules
from tests.backends import assert_close, needs

T = np.arange(0, 30)


@pytest.mark.parametrize("fit", [None, schedules.FitLength(1, 1)])
@pytest.mark.parametrize(
    "schedule",
    [
        schedules.Cosine(1.0, total=0, warmup=0),
        schedules.Cosine(1.0, total=5, warmup=5),
        schedules.OneCycle(1.0, total=0),
        schedules.OneCycle(1.0, total=1),
        schedules.PolynomialDecay(1.0, total=0),
        schedules.FlatCosine(1.0, total=0),
        schedules.FlatCosine(1.0, total=5, flat=5),
        schedules.CosLog(1.0, total=0),
        schedules.CosineRestarts(1.0, total=0),
        schedules.WarmupStableDecay(1.0, total=0),
        schedules.WarmupStableDecay(1.0, total=5, warmup=4, decay=0),
        schedules.WarmUp(1.0, length=0),
        schedules.Then(0.5, other=1.0, after=0),
        schedules.Piecewise(1.0, boundaries=[0], factors=[0.5]),
        schedules.Piecewise(1.0, boundaries=[], factors=[]),
    ],
)
def test_lengths_of_nothing(schedule, fit):
    rates = schedule.values(T, fit)
    assert np.isfinite(rates).all()
    assert rates.min() >= 0
    assert rates.max() <= 1
    assert np.isfinite(float(schedule(0)))


@pytest.mark.parametrize(
    "make",
    [
        schedules.StepDecay,
        schedules.MultiplicativeDecay,
        schedules.InverseDecay,
        lambda rate: schedules.Cyclical(rate, cycle="1 epoch"),
        lambda rate: schedules.CosineRestarts(rate, first="1%"),
    ],
)
def test_a_fit_shorter_than_the_unit_of_time(make):
    assert np.isfinite(make(1.0).values(T, schedules.FitLength(1, 1))).all()


MANY = 10_000_000


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (schedules.Cosine(1.0, total=2 * MANY), 0.5),
        (schedules.Cosine(1.0, total=MANY + 1), np.sin(np.pi / 2 / (MANY + 1)) ** 2),
        (schedules.PolynomialDecay(1.0, total=4 * MANY), 0.75),
        (schedules.StepDecay(1.0, every=MANY, decay_rate=0.5), 0.5),
        (schedules.StepDecay(1.0, every=MANY + 1, decay_rate=0.5), 1.0),
        (schedules.MultiplicativeDecay(1.0, decay_rate=0.9999999, every=1), 0.9999999**MANY),
        (schedules.ExponentialDecay(1.0, decay=1e-7, every=1), np.exp(-1)),
        (schedules.InverseDecay(1.0, decay=1.0, every=1), 1 / (MANY + 1)),
        (schedules.Cyclical(1.0, cycle=2000, floor=0.0), 0.0),
        (schedules.Cyclical(1.0, cycle=2001, floor=0.0), 1 - abs(2 * (MANY % 2001) / 2001 - 1)),
        (schedules.CosineRestarts(1.0, first=1000, growth=1.0), 1.0),
        (schedules.Piecewise(1.0, boundaries=[MANY], factors=[0.5]), 0.5),
        (schedules.Piecewise(1.0, boundaries=[MANY + 1], factors=[0.5]), 1.0),
        (schedules.Then(0.5, other=1.0, after=MANY), 1.0),
    ],
)
def test_many_updates(schedule, expected):
    assert float(schedule(MANY)) == pytest.approx(expected, rel=2e-6, abs=1e-12)


FAR = 2**24 + 1  # the first number of updates that float32 does not hold
LATE = schedules.Then(0.5, other=schedules.WarmUp(1.0, length=10), after=10 * MANY)


@needs("tensorflow", "Keras keeps float64 nowhere else")
@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        (schedules.Piecewise(1.0, boundaries=[FAR], factors=[0.5]), FAR - 1, 1.0),
        (schedules.Piecewise(1.0, boundaries=[FAR], factors=[0.5]), FAR, 0.5),
        (schedules.StepDecay(1.0, every=FAR, decay_rate=0.5), FAR - 1, 1.0),
        (schedules.Cyclical(1.0, cycle=1000, floor=0.0), 10 * MANY + 37, 0.074),
        (schedules.CosineRestarts(1.0, first=1000, growth=1.0), 10 * MANY + 500, 0.5),
        (schedules.Cosine(1.0, total=3 * MANY), 3 * MANY - 1, np.sin(np.pi / 6 / MANY) ** 2),
        (LATE, 10 * MANY - 1, 0.5),
        (LATE, 10 * MANY + 3, 4 / 11),
    ],
)
def test_updates_that_float32_cannot_tell_apart(schedule, step, expected):
    import tensorflow as tf

    rate = tf.function(schedule.__call__)(tf.constant(step, "int64"))
    assert rate.dtype == "float32"
    assert float(rate) == pytest.approx(expected, rel=2e-6, abs=1e-16)


def test_a_length_is_the_same_in_training_and_on_paper():
    schedule = schedules.Piecewise(1.0, boundaries=[0.07, 0.35, 0.7], factors=[0.5, 0.2, 0.1])
    steps = np.arange(3000)  # of one shape, which JAX compiles once
    for updates in range(20, 3000, 35):
        fit = schedules.FitLength(updates, 10)
        rates = schedule.at(ops.convert_to_tensor(steps), fit)
        assert_close(rates, schedule.values(steps, fit), rtol=1e-6)


@pytest.mark.parametrize("growth", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("first", [1, 7, 1000])
def test_restarts_fall_on_their_updates(first, growth):
    schedule = schedules.CosineRestarts(1.0, first=first, growth=growth)
    starts = np.cumsum([0.0, *(first * growth ** np.arange(9))])
    starts = starts[(starts == starts.round()) & (starts < 2**24)]
    single = [float(schedule(int(start))) for start in starts]
    np.testing.assert_allclose(single, 1.0, atol=1e-6)
    np.testing.assert_allclose(schedule.values(starts), 1.0, atol=1e-12)
