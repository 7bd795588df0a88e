import numpy as np
import pytest

from kerasrecipes.layers import ChannelPReLU
from tests.backends import WIDEST, array, assert_close


@pytest.mark.parametrize("shape", [(2, 3), (2, 5, 3), (2, 4, 5, 3)])
def test_one_slope_per_channel_at_any_rank(shape):
    x = np.random.default_rng(0).normal(size=shape)
    layer = ChannelPReLU(dtype=WIDEST)
    assert_close(layer(x), np.where(x < 0, 0.25 * x, x))
    assert layer.count_params() == 3
    slopes = np.array([0.1, 0.2, 0.3])
    layer.alpha.assign(slopes.reshape(layer.alpha.shape))
    assert_close(layer(x), np.where(x < 0, slopes * x, x))


def test_initializer_can_be_chosen():
    layer = ChannelPReLU(alpha_initializer="zeros")
    assert array(layer(np.array([[-1.0, 2.0]]))).tolist() == [[0, 2]]
