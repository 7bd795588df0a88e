"""Every optimizer learns under every Keras backend: TensorFlow, JAX and PyTorch."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._export import members
from tests.backends import JIT, array, needs
from tests.harness import representative

pytestmark = pytest.mark.slow  # on TensorFlow; tests/test_backends.py runs it on the others
RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]])).astype("float32")
O = kr.optimizers  # noqa: E741

WRAPPERS = {"Lookahead", "SAM", "LossScaleOptimizer"}
MAKERS = {
    name: lambda thing=thing, **more: thing(3 * float(array(thing().learning_rate)), **more)
    for name, thing in members("optimizers").items()
    if isinstance(thing, type) and name not in WRAPPERS
}


def losses(optimizer, **fit):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(optimizer, "mse", jit_compile=JIT)
    fit = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0, **fit}
    found = model.fit(X, Y, **fit).history["loss"]
    for weight in model.get_weights():
        assert np.isfinite(weight).all()
    return found


@pytest.mark.parametrize("name", representative(MAKERS, "Adam", "Muon", "ScheduleFreeAdamW"))
def test_learns(name):
    found = losses(MAKERS[name]())
    assert found[-1] < found[0]


@pytest.mark.parametrize("name", representative(MAKERS, "AdamW", "Lion", "Nadam"))
def test_learns_with_accumulation_and_clipping(name):
    settings = {"gradient_accumulation_steps": 2, "global_clipnorm": "auto", "track_updates": True}
    found = losses(MAKERS[name](**settings))
    assert found[-1] < found[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: O.Lookahead(O.Adam(0.01), sync_period=2),
        lambda: O.Lookahead(O.SGD(0.01, gradient_accumulation_steps=2), sync_period=2),
        lambda: O.LossScaleOptimizer(O.Adam(0.01), initial_scale=8.0),
    ],
    ids=["Lookahead", "Lookahead with accumulation", "LossScaleOptimizer"],
)
def test_wrappers_learn(make):
    found = losses(make())
    assert found[-1] < found[0]


@needs("tensorflow", "SAM takes its second gradient by a tape")
def test_sam_learns():
    inputs = keras.Input((3,))
    model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(1)(inputs))
    model.compile(O.SAM(O.SGD(0.01)), "mse")
    found = model.fit(X, Y, epochs=3, verbose=0).history["loss"]
    assert found[-1] < found[0]


def test_a_schedule_of_the_fit_and_its_momentum():
    optimizer = O.SGD(kr.schedules.OneCycle(0.05))
    found = losses(optimizer, callbacks=[kr.callbacks.BindSchedule()])
    assert found[-1] < found[0]
    assert float(array(optimizer.learning_rate)) < 1e-3


def test_the_average_is_not_the_training_point():
    optimizer = O.ScheduleFreeAdamW(0.05)
    losses(optimizer, callbacks=[kr.callbacks.AverageForEvaluation()])
    assert float(array(optimizer.is_average)) == 1.0
    average = [array(each) for each in optimizer._trainable_variables]
    optimizer.to_training()
    training = [array(each) for each in optimizer._trainable_variables]
    optimizer.to_average()
    again = [array(each) for each in optimizer._trainable_variables]
    assert max(abs(a - b).max() for a, b in zip(average, training, strict=True)) > 1e-4
    for a, b in zip(average, again, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
