import numpy as np
import pytest
from scipy import stats

from kerasrecipes._checks import InputError
from kerasrecipes.layers import EnsembleDense
from tests.backends import WIDEST, array, assert_close

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 5))


def make(*args, **kwargs):
    return EnsembleDense(*args, dtype=WIDEST, seed=0, **kwargs)


def randomise(layer):
    for weight in layer.weights:
        weight.assign(RNG.normal(size=weight.shape))


@pytest.mark.parametrize("x", [X, RNG.normal(size=(6, 4, 5))])
def test_equals_separate_dense_layers(x):
    layer = make(3, 4, activation="tanh")
    layer(x)
    randomise(layer)
    y = array(layer(x))
    r, s = array(layer.input_scale), array(layer.output_scale)
    kernel, bias = array(layer.kernel), array(layer.bias)
    for i in range(4):
        given = x if x.ndim == 2 else x[:, i]
        expected = np.tanh(given @ (np.outer(r[i], s[i]) * kernel) + bias[i])
        assert_close(y[:, i], expected, atol=1e-12)


def test_start():
    layer = make(50, 8)
    layer.build((None, 400))
    kernel, bias = array(layer.kernel), array(layer.bias)
    assert stats.kstest(kernel.ravel(), stats.uniform(-0.05, 0.1).cdf).pvalue > 1e-3
    assert stats.kstest(bias[0], stats.uniform(-0.05, 0.1).cdf).pvalue > 1e-3
    np.testing.assert_array_equal(bias, np.tile(bias[:1], (8, 1)))
    np.testing.assert_array_equal(array(layer.output_scale), 1)
    signs = array(layer.input_scale)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert abs(signs.mean()) < 0.06
    assert abs(np.corrcoef(signs) - np.eye(8)).max() < 0.2


def test_other_starts_of_the_scales():
    normal = make(2, 8, scale_initializer="normal")
    normal.build((None, 400))
    values = array(normal.input_scale).ravel()
    assert stats.kstest(values, stats.norm.cdf).pvalue > 1e-3
    y = array(make(2, 8, scale_initializer="ones")(X))
    assert_close(y, np.repeat(y[:, :1], 8, axis=1), atol=1e-15)


def test_members_differ_and_seeds_repeat():
    y = array(make(2, 4)(X))
    assert not np.allclose(y[:, 0], y[:, 1])
    np.testing.assert_array_equal(array(make(2, 4)(X)), y)
    other = EnsembleDense(2, 4, dtype=WIDEST, seed=1)
    assert not np.allclose(array(other(X)), y)


def test_regularizer_and_no_bias():
    layer = make(2, 4, kernel_regularizer="l2", use_bias=False)
    layer(X)
    assert len(layer.losses) == 1
    assert [weight.name for weight in layer.weights] == ["input_scale", "kernel", "output_scale"]


def test_errors():
    with pytest.raises(InputError, match="`members` must be an integer >= 1"):
        EnsembleDense(3, 0)
    with pytest.raises(InputError, match="`scale_initializer`.*Did you mean 'random_signs'"):
        EnsembleDense(3, scale_initializer="random_sign")
    for shape in ((6, 3, 5), (2, 2, 4, 5)):
        with pytest.raises(InputError, match=r"\(batch, 4, features\)"):
            EnsembleDense(3, 4)(np.ones(shape))
