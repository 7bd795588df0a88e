import numpy as np
import pytest

from kerasrecipes.layers import ChannelPReLU


@pytest.mark.parametrize("shape", [(2, 3), (2, 5, 3), (2, 4, 5, 3)])
def test_one_slope_per_channel_at_any_rank(shape):
    x = np.random.default_rng(0).normal(size=shape)
    layer = ChannelPReLU(dtype="float64")
    np.testing.assert_allclose(layer(x), np.where(x < 0, 0.25 * x, x))
    assert layer.count_params() == 3
    slopes = np.array([0.1, 0.2, 0.3])
    layer.alpha.assign(slopes.reshape(layer.alpha.shape))
    np.testing.assert_allclose(layer(x), np.where(x < 0, slopes * x, x))


def test_initializer_can_be_chosen():
    layer = ChannelPReLU(alpha_initializer="zeros")
    np.testing.assert_array_equal(layer(np.array([[-1.0, 2.0]])), [[0, 2]])
