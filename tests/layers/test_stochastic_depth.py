import numpy as np
import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.layers import StochasticDepth
from tests.backends import array, assert_close

X = np.random.default_rng(0).normal(size=(4000, 3, 2)).astype("float32") + 5


def test_whole_samples_are_dropped_and_the_rest_scaled():
    y = array(StochasticDepth(0.2, seed=0)(X, training=True))
    ratio = y / X
    assert_close(ratio.std(axis=(1, 2)), 0, atol=1e-6)
    assert set(np.unique(ratio.round(5))) == {0.0, 1.25}
    assert (ratio[:, 0, 0] == 0).mean() == pytest.approx(0.2, abs=0.02)
    assert y.mean() == pytest.approx(X.mean(), rel=0.02)


def test_inference_and_rate_zero_are_the_identity():
    np.testing.assert_array_equal(StochasticDepth(0.9)(X), X)
    np.testing.assert_array_equal(StochasticDepth(0.0)(X, training=True), X)


def test_seed_repeats_and_calls_differ():
    layer = StochasticDepth(0.5, seed=1)
    first, second = array(layer(X, training=True)), array(layer(X, training=True))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(StochasticDepth(0.5, seed=1)(X, training=True), first)


@pytest.mark.parametrize("rate", [-0.1, 1.0, "half"])
def test_errors(rate):
    with pytest.raises(InputError, match=r"`rate` must be a number in \[0, 1\)"):
        StochasticDepth(rate)
