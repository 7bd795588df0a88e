"""Momentum and beta_1 follow a schedule that says what they should be."""

import keras
import numpy as np
import pytest

from kerasrecipes import optimizers, schedules
from tests.optimizers import test_presets as presets

STEPS = 10
GRADIENTS = np.random.default_rng(0).normal(size=(STEPS, 3))
W0 = np.array([0.8, -1.5, 0.3])
CYCLE = schedules.OneCycle(0.1, total=STEPS, rise=0.3)


def followed(optimizer):
    variable = keras.Variable(W0, dtype="float32", name="kernel")
    for gradient in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
    return variable.numpy()


def cycle(t):
    """Rate and momentum at update t, by the formulas of the paper's cosine form."""
    rise = 0.3 * STEPS
    up = t < rise
    share = t / rise if up else (t - rise) / (STEPS - rise)
    wave = (1 - np.cos(np.pi * share)) / 2
    start, end = (0.1 / 25, 0.1) if up else (0.1, 0.1 / 25 / 1e4)
    high, low = (0.95, 0.85) if up else (0.85, 0.95)
    return start + (end - start) * wave, high + (low - high) * wave


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd(nesterov):
    w, v = W0.copy(), 0.0
    for t, g in enumerate(GRADIENTS):
        r, a = cycle(t)
        v = a * v - r * g
        w = w + (a * v - r * g if nesterov else v)
    found = followed(optimizers.SGD(CYCLE, nesterov=nesterov))
    np.testing.assert_allclose(found, w, rtol=1e-5)


RULES = {
    "adam": lambda w, g, t, s, r, b: presets.amsgrad_free(w, g, t, s, 1e-8, r=r, b1=b),
    "adamw": lambda w, g, t, s, r, b: presets.amsgrad_free(
        w - r * 0.01 * w, g, t, s, 1e-8, r=r, b1=b
    ),
    "adamax": lambda w, g, t, s, r, b: presets.adamax(w, g, t, s, r=r, b1=b),
    "lion": lambda w, g, t, s, r, b: presets.lion(w, g, t, s, r=r, b1=b),
}


@pytest.mark.parametrize("name", RULES)
def test_beta_1(name):
    w, state = W0.copy(), {}
    for t, g in enumerate(GRADIENTS):
        w = RULES[name](w, g, t + 1, state, *cycle(t))
    np.testing.assert_allclose(
        followed(optimizers.get(name, learning_rate=CYCLE)), w, rtol=2e-5, atol=1e-6
    )


def test_nadam_follows():
    w, s = W0.copy(), {"p": 1.0}
    for t, g in enumerate(GRADIENTS):
        r, b = cycle(t)
        now, ahead = (b * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in (t + 1, t + 2))
        s["p"] *= now
        s["m"] = b * s.get("m", 0) + (1 - b) * g
        s["v"] = 0.999 * s.get("v", 0) + 0.001 * g * g
        mean = ahead * s["m"] / (1 - s["p"] * ahead) + (1 - now) * g / (1 - s["p"])
        w = w - r * mean / (np.sqrt(s["v"] / (1 - 0.999 ** (t + 1))) + 1e-8)
    found = followed(optimizers.get("nadam", learning_rate=CYCLE))
    np.testing.assert_allclose(found, w, rtol=2e-5)


def test_the_optimizers_own_value_is_left_as_it_was():
    optimizer = optimizers.Adam(CYCLE, beta_1=0.8)
    followed(optimizer)
    assert optimizer.beta_1 == optimizer.get_config()["beta_1"] == 0.8


def test_a_schedule_can_leave_the_momentum_alone():
    still = schedules.OneCycle(0.1, total=STEPS, rise=0.3, max_momentum=None)
    w, v = W0.copy(), 0.0
    for t, g in enumerate(GRADIENTS):
        v = 0.9 * v - cycle(t)[0] * g
        w = w + v
    np.testing.assert_allclose(followed(optimizers.SGD(still)), w, rtol=1e-5)
    without = followed(optimizers.SGD(CYCLE, momentum=0.0))
    np.testing.assert_allclose(
        without, W0 - sum(cycle(t)[0] * g for t, g in enumerate(GRADIENTS)), rtol=1e-5
    )


def test_it_follows_in_a_traced_fit_that_gives_the_length():
    x = np.random.default_rng(1).normal(size=(32, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(optimizers.SGD(schedules.OneCycle(0.1)), "mse")
    model.set_weights([W0[:, None]])
    from kerasrecipes.callbacks import BindSchedule

    w, v, y = W0[:, None].copy(), 0.0, x[:, :1]
    whole = schedules.OneCycle(0.1, total=8)
    for t in range(8):
        part = slice(16 * (t % 2), 16 * (t % 2) + 16)
        g = 2 * x[part].T @ (x[part] @ w - y[part]) / 16
        v = float(whole.momentum_at(t, None)) * v - float(whole(t)) * g
        w = w + v
    fit = {"epochs": 4, "batch_size": 16, "shuffle": False, "verbose": 0}
    model.fit(x, y, callbacks=[BindSchedule()], **fit)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4)
