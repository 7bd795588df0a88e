import numpy as np
import pytest
from scipy import stats

from kerasrecipes._checks import InputError
from kerasrecipes.layers import EnsembleHead
from tests.backends import WIDEST, array, assert_close

X = np.random.default_rng(0).normal(size=(6, 4, 5))


def test_equals_separate_dense_layers():
    layer = EnsembleHead(3, "tanh", dtype=WIDEST, seed=0)
    y = array(layer(X))
    kernel, bias = array(layer.kernel), array(layer.bias)
    for i in range(4):
        assert_close(y[:, i], np.tanh(X[:, i] @ kernel[i] + bias[i]), atol=1e-12)


def test_start_is_uniform_and_differs_between_members():
    layer = EnsembleHead(3, seed=0)
    layer.build((None, 10, 100))
    kernel = array(layer.kernel)
    assert stats.kstest(kernel.ravel(), stats.uniform(-0.1, 0.2).cdf).pvalue > 0.01
    assert len(np.unique(kernel[:, 0, 0])) == 10
    assert len(np.unique(array(layer.bias)[:, 0])) == 10


def test_no_bias_and_regularizer():
    layer = EnsembleHead(3, use_bias=False, kernel_regularizer="l2")
    layer(X)
    assert [weight.name for weight in layer.weights] == ["kernel"]
    assert len(layer.losses) == 1


def test_errors():
    with pytest.raises(InputError, match="`units` must be an integer >= 1"):
        EnsembleHead(0)
    with pytest.raises(InputError, match=r"needs an input \(batch, members, features\)"):
        EnsembleHead(3)(np.ones((6, 5)))
