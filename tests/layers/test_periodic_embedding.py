import keras
import numpy as np
import pytest
from scipy import stats

from kerasrecipes._checks import InputError
from kerasrecipes.layers import PeriodicEmbedding
from tests.backends import WIDEST, array, assert_close

X = np.random.default_rng(0).normal(size=(4, 3))


def weights_of(layer):
    parts = (layer.frequency, layer.phase, layer.kernel, layer.bias)
    return [array(part).astype("float64") for part in parts]


@pytest.mark.parametrize("append_input", [True, False])
def test_equals_numpy_feature_by_feature(append_input):
    layer = PeriodicEmbedding(2, 5, append_input=append_input, dtype=WIDEST, seed=0)
    y = array(layer(X))
    w, b, kernel, bias = weights_of(layer)
    for row, feature in np.ndindex(4, 3):
        x = X[row, feature]
        wave = np.cos(2 * np.pi * w[feature] * x + b[feature])
        expected = wave @ kernel[feature] + bias[feature]
        expected = np.r_[x, expected] if append_input else expected
        assert_close(y[row, feature], expected, atol=1e-12)


def test_start_follows_the_paper():
    layer = PeriodicEmbedding(seed=0)
    layer.build((None, 200))
    w, b, kernel, bias = (part.ravel() for part in weights_of(layer))
    assert stats.kstest(w, stats.norm(0, 0.1).cdf).pvalue > 0.01
    assert stats.kstest(b, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01
    assert stats.kstest(kernel, stats.uniform(-0.25, 0.5).cdf).pvalue > 0.001
    assert stats.kstest(bias, stats.uniform(-0.25, 0.5).cdf).pvalue > 0.001
    assert layer.count_params() == 200 * (16 + 16 + 16 * 3 + 3)


def test_half_precision_keeps_the_phase():
    layer = PeriodicEmbedding(frequency_scale=50.0, seed=0)
    x = np.array([[3.0, -2.5, 1.75]], "float32")
    exact = array(layer(x))
    half = PeriodicEmbedding(frequency_scale=50.0, seed=0, dtype="mixed_float16")
    assert_close(array(half(x)), exact, atol=5e-3)


def test_seeds():
    layers = [PeriodicEmbedding(seed=seed) for seed in (0, 0, 1)]
    first, again, other = (array(layer(X)) for layer in layers)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first[..., 1:], other[..., 1:])


def test_errors():
    with pytest.raises(InputError, match="`units` must be an integer >= 1"):
        PeriodicEmbedding(0)
    with pytest.raises(InputError, match="`frequency_scale` must be a number > 0"):
        PeriodicEmbedding(frequency_scale=0)
    with pytest.raises(InputError, match=r"needs an input \(batch, features\)"):
        PeriodicEmbedding()(keras.Input((4, 5)))
