"""Every optimizer in every kind of training step, built by its first update."""

import functools

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._export import members
from kerasrecipes.optimizers.practice_mixin import PracticeMixin

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]])).astype("float32")
O = kr.optimizers  # noqa: E741

MAKERS = {
    **{
        name: functools.partial(thing, 0.01)
        for name, thing in members("optimizers").items()
        if isinstance(thing, type) and issubclass(thing, PracticeMixin)
    },
    "accumulated": lambda: O.SGD(0.01, gradient_accumulation_steps=2),
    "clipped": lambda: O.AdamW(0.01, global_clipnorm="auto", track_updates=True),
    "one cycle": lambda: O.Adam(kr.schedules.OneCycle(0.01, total=8)),
    "Lookahead": lambda: O.Lookahead(O.Adam(0.01), sync_period=2),
    "SAM": lambda: O.SAM(O.SGD(0.01), rho=0.1),
    "LossScaleOptimizer": lambda: O.LossScaleOptimizer(O.Adam(0.01), initial_scale=8.0),
}


def test_no_optimizer_escapes():
    found = {name for name, thing in members("optimizers").items() if isinstance(thing, type)}
    assert found <= MAKERS.keys()


def trained(name, **compile_arguments):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, activation="tanh")(inputs)
    model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(1)(hidden))
    model.compile(MAKERS[name](), "mse", **compile_arguments)
    assert not model.optimizer.built
    model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()


@functools.cache
def expected(name):
    return trained(name, jit_compile=False)


STEPS = {
    "jit": {"jit_compile": True},
    "eager": {"run_eagerly": True},
    "several steps at once": {"steps_per_execution": 4},
}


OFTEN = {
    "jit": ("Adam", "clipped"),
    "eager": ("Muon",),
    "several steps at once": ("accumulated", "ScheduleFreeAdamW"),
}
CASES = [
    pytest.param(kind, name, marks=() if name in OFTEN[kind] else pytest.mark.slow)
    for kind in STEPS
    for name in MAKERS
]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_every_kind_of_step_trains_alike(kind, name):
    for a, b in zip(trained(name, **STEPS[kind]), expected(name), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
