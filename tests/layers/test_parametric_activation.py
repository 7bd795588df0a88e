import keras
import numpy as np
import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.layers import ParametricActivation
from tests.backends import WIDEST, assert_close, gradients
from tests.harness import numeric_gradient

X = np.random.default_rng(0).normal(size=(4, 3))
ALPHA = np.array([0.0, 0.3, 1.5])


def blend(x, alpha):
    return x + (np.tanh(x) - x) * alpha


def test_value_and_gradients():
    layer = ParametricActivation("tanh", dtype=WIDEST)
    assert_close(layer(X), np.tanh(X))
    layer.alpha.assign(ALPHA)
    assert_close(layer(X), blend(X, ALPHA), atol=1e-12)
    x = keras.Variable(X, dtype=WIDEST)
    by_x, by_alpha = gradients(lambda: keras.ops.sum(layer(x.value) ** 2), [x, layer.alpha])
    expected = numeric_gradient(lambda v: (blend(v, ALPHA) ** 2).sum(), X)
    assert_close(by_x, expected, atol=1e-7)
    expected = numeric_gradient(lambda v: (blend(X, v) ** 2).sum(), ALPHA)
    assert_close(by_alpha, expected, atol=1e-7)


def test_one_alpha_per_neuron_of_the_last_axis():
    layer = ParametricActivation("mish")
    layer.build((None, 7, 5))
    assert tuple(layer.alpha.shape) == (5,)


def test_errors():
    with pytest.raises(InputError, match="`activation`"):
        ParametricActivation(None)
    with pytest.raises(InputError, match="`activation`"):
        ParametricActivation("sellu")
