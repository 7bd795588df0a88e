import numpy as np
import pytest
import tensorflow as tf

from kerasrecipes._checks import InputError
from kerasrecipes.layers import ParametricActivation
from tests.harness import numeric_gradient

X = np.random.default_rng(0).normal(size=(4, 3))
ALPHA = np.array([0.0, 0.3, 1.5])


def blend(x, alpha):
    return x + (np.tanh(x) - x) * alpha


def test_value_and_gradients():
    layer = ParametricActivation("tanh", dtype="float64")
    np.testing.assert_allclose(layer(X), np.tanh(X))
    layer.alpha.assign(ALPHA)
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        loss = tf.reduce_sum(y**2)
    np.testing.assert_allclose(y, blend(X, ALPHA), atol=1e-12)
    by_x, by_alpha = tape.gradient(loss, [x, layer.alpha.value])
    expected = numeric_gradient(lambda v: (blend(v, ALPHA) ** 2).sum(), X)
    np.testing.assert_allclose(by_x, expected, atol=1e-7)
    expected = numeric_gradient(lambda v: (blend(X, v) ** 2).sum(), ALPHA)
    np.testing.assert_allclose(by_alpha, expected, atol=1e-7)


def test_one_alpha_per_neuron_of_the_last_axis():
    layer = ParametricActivation("mish")
    layer.build((None, 7, 5))
    assert tuple(layer.alpha.shape) == (5,)


def test_errors():
    with pytest.raises(InputError, match="`activation`"):
        ParametricActivation(None)
    with pytest.raises(InputError, match="`activation`"):
        ParametricActivation("sellu")
