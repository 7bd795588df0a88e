"""Values of optax, Keras and PyTorch's documented formulas, where they define the same."""

import keras
import numpy as np
import optax
import pytest

from kerasrecipes import schedules
from tests.backends import assert_close

T = np.arange(0, 130)
K = keras.optimizers.schedules

OPTAX = {
    "cosine": (
        schedules.Cosine(2.0, total=100, floor=0.5),
        optax.cosine_decay_schedule(2.0, 100, alpha=0.25),
    ),
    "one cycle": (
        schedules.OneCycle(2.0, total=100, end_divisor=100.0),
        optax.cosine_onecycle_schedule(100, 2.0, pct_start=0.25, final_div_factor=100.0),
    ),
    # optax falls to the start's height by `pct_final`, then to the end: here at one slope
    "linear one cycle": (
        schedules.OneCycle(2.0, total=100, start_divisor=2.0, end_divisor=2.0, shape="linear"),
        optax.linear_onecycle_schedule(100, 2.0, 0.25, 0.75, 2.0, 2.0),
    ),
    "polynomial": (
        schedules.PolynomialDecay(2.0, total=80, power=3.0, floor=0.5),
        optax.polynomial_schedule(2.0, 0.5, 3.0, 80),
    ),
    "linear": (schedules.PolynomialDecay(2.0, total=80), optax.linear_schedule(2.0, 0.0, 80)),
    "step": (
        schedules.StepDecay(2.0, every=30, decay_rate=0.5),
        optax.exponential_decay(2.0, 30, 0.5, staircase=True),
    ),
    "multiplicative": (
        schedules.MultiplicativeDecay(2.0, every=30, decay_rate=0.5),
        optax.exponential_decay(2.0, 30, 0.5),
    ),
    "piecewise": (
        schedules.Piecewise(2.0, boundaries=[30, 60], factors=[0.5, 0.05]),
        optax.piecewise_constant_schedule(2.0, {30: 0.5, 60: 0.1}),
    ),
    "warm-up": (
        schedules.WarmUp(schedules.Cosine(2.0, total=80, floor=0.5), length=20, start=0.0),
        optax.warmup_cosine_decay_schedule(0.0, 2.0, 20, 100, 0.5),
    ),
    "restarts": (
        schedules.CosineRestarts(2.0, total=90, growth=1.0),
        optax.join_schedules([optax.cosine_decay_schedule(2.0, 30)] * 3, [30, 60]),
    ),
    "then": (
        schedules.Constant(2.0).then(schedules.Cosine(1.0, total=50), after=40),
        optax.join_schedules(
            [optax.constant_schedule(2.0), optax.cosine_decay_schedule(1.0, 50)], [40]
        ),
    ),
}


@pytest.mark.parametrize("name", OPTAX)
def test_optax(name):
    ours, peer = OPTAX[name]
    expected = [float(peer(int(t))) for t in T]
    np.testing.assert_allclose(ours.values(T), expected, rtol=1e-5, atol=3e-7)


KERAS = {
    "cosine": (schedules.Cosine(2.0, total=100, floor=0.5), K.CosineDecay(2.0, 100, alpha=0.25)),
    "warm-up": (
        schedules.WarmUp(schedules.Cosine(2.0, total=80), length=20, start=0.0),
        K.CosineDecay(0.0, 80, warmup_target=2.0, warmup_steps=20),
    ),
    "restarts": (
        schedules.CosineRestarts(2.0, first=15, shrink=0.8),
        K.CosineDecayRestarts(2.0, 15, t_mul=2.0, m_mul=0.8),
    ),
    "step": (
        schedules.StepDecay(2.0, every=30, decay_rate=0.5),
        K.ExponentialDecay(2.0, 30, 0.5, staircase=True),
    ),
    "multiplicative": (
        schedules.MultiplicativeDecay(2.0, every=30, decay_rate=0.5),
        K.ExponentialDecay(2.0, 30, 0.5),
    ),
    "inverse": (
        schedules.InverseDecay(2.0, decay=0.5, every=10),
        K.InverseTimeDecay(2.0, 10, 0.5),
    ),
    "polynomial": (
        schedules.PolynomialDecay(2.0, total=80, power=3.0, floor=0.5),
        K.PolynomialDecay(2.0, 80, 0.5, power=3.0),
    ),
    # Keras begins a new piece one update after the boundary
    "piecewise": (
        schedules.Piecewise(2.0, boundaries=[30, 60], factors=[0.5, 0.05]),
        K.PiecewiseConstantDecay([29, 59], [2.0, 1.0, 0.1]),
    ),
}


@pytest.mark.parametrize("name", KERAS)
def test_keras(name):
    ours, peer = KERAS[name]
    expected = [float(peer(int(t))) for t in T]
    np.testing.assert_allclose(ours.values(T), expected, rtol=1e-5, atol=3e-7)


def torch_one_cycle(step, n, pct, first, top, last, strategy):
    """OneCycleLR's two phases, which end at updates pct * n - 1 and n - 1."""

    def anneal(start, end, share):
        if strategy == "linear":
            return start + (end - start) * share
        return end + (start - end) / 2 * (np.cos(np.pi * share) + 1)

    turn = pct * n - 1
    if step <= turn:
        return anneal(first, top, step / turn)
    return anneal(top, last, (step - turn) / (n - 1 - turn))


@pytest.mark.parametrize("shape", ["cosine", "linear"])
def test_torch_one_cycle(shape):
    n, pct = 100, 0.3
    ours = schedules.OneCycle(2.0, total=n - 1, rise=(pct * n - 1) / (n - 1), shape=shape)
    steps = np.arange(n)
    expected = [torch_one_cycle(t, n, pct, 2 / 25, 2.0, 2 / 25 / 1e4, shape) for t in steps]
    assert_close(ours.values(steps), expected, rtol=1e-9)
    momentum = [float(ours.momentum_at(int(t), None)) for t in steps]
    expected = [torch_one_cycle(t, n, pct, 0.95, 0.85, 0.95, shape) for t in steps]
    np.testing.assert_allclose(momentum, expected, rtol=1e-6)
