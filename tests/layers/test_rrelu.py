import keras
import numpy as np
import pytest
from scipy import stats

from kerasrecipes._checks import InputError
from kerasrecipes.layers import RReLU
from tests.backends import array, assert_close, gradients

X = np.linspace(-3, 3, 10_000).astype("float32").reshape(100, 100)
NEGATIVE = X < 0


def test_inference_uses_the_mean_slope():
    y = array(RReLU()(X))
    assert_close(y, np.where(NEGATIVE, X * (1 / 8 + 1 / 3) / 2, X), rtol=1e-6)


def test_training_draws_a_uniform_slope_per_element():
    y = array(RReLU(0.2, 0.6, seed=0)(X, training=True))
    np.testing.assert_array_equal(y[~NEGATIVE], X[~NEGATIVE])
    slopes = y[NEGATIVE] / X[NEGATIVE]
    assert stats.kstest(slopes, stats.uniform(0.2, 0.4).cdf).pvalue > 0.01
    assert len(np.unique(slopes.round(6))) > 4900


def test_draws_differ_between_calls_and_repeat_with_the_seed():
    layer, again = RReLU(seed=3), RReLU(seed=3)
    first, second = array(layer(X, training=True)), array(layer(X, training=True))
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(first, array(again(X, training=True)))


def test_gradient_is_the_slope():
    x = keras.Variable([[-2.0, 5.0]])
    (slopes,) = gradients(lambda: keras.ops.sum(RReLU(seed=0)(x.value, training=True)), [x])
    assert_close(slopes, array(RReLU(seed=0)(x.value, training=True)) / array(x), rtol=1e-6)


def test_lower_equal_to_upper_is_leaky_relu():
    expected = keras.layers.LeakyReLU(negative_slope=0.25)(X)
    assert_close(RReLU(0.25, 0.25)(X, training=True), expected, rtol=1e-6)


def test_errors():
    with pytest.raises(InputError, match="`lower` must be a number >= 0"):
        RReLU(-0.1)
    with pytest.raises(InputError, match="`upper` must be a number >= 0.3"):
        RReLU(0.3, 0.2)
