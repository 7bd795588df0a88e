import itertools

import numpy as np
import pytest
from scipy.ndimage import convolve1d
from scipy.special import comb

from kerasrecipes._checks import InputError
from kerasrecipes.layers import BlurPool
from tests.backends import WIDEST, array, assert_close

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(2, 11, 3), (2, 8, 9, 3)])
def test_reflect_equals_scipy(shape):
    for size, strides in itertools.product((3, 5), (1, 2, 3)):
        x = RNG.normal(size=shape)
        weights = comb(size - 1, np.arange(size)) / 2 ** (size - 1)
        expected = x
        for axis in range(1, len(shape) - 1):
            expected = convolve1d(expected, weights, axis=axis, mode="mirror")
            expected = np.take(expected, range(0, shape[axis], strides), axis=axis)
        layer = BlurPool(size, strides=strides, dtype=WIDEST)
        assert_close(layer(x), expected, atol=1e-12)


@pytest.mark.parametrize("padding", ["reflect", "same"])
def test_a_constant_stays_constant(padding):
    for size, shape in itertools.product((2, 3, 4, 5, 7), ((1, 9, 2), (1, 8, 9, 2))):
        y = array(BlurPool(size, padding=padding)(np.full(shape, 3.0)))
        assert_close(y, 3.0, rtol=1e-6)
        assert y.shape[1:-1] == tuple(-(-n // 2) for n in shape[1:-1])


def test_same_leaves_out_what_is_outside():
    x = RNG.normal(size=5)
    y = array(BlurPool(3, strides=1, padding="same", dtype=WIDEST)(x.reshape(1, 5, 1)))
    assert y[0, 0, 0] == pytest.approx((2 * x[0] + x[1]) / 3)
    assert y[0, 4, 0] == pytest.approx((x[3] + 2 * x[4]) / 3)
    assert y[0, 2, 0] == pytest.approx((x[1] + 2 * x[2] + x[3]) / 4)


def test_a_shift_changes_less_than_plain_subsampling():
    x = RNG.normal(size=(1, 64, 1))
    blurred = [array(BlurPool(5)(each)) for each in (x, np.roll(x, 1, axis=1))]
    plain = [each[:, ::2] for each in (x, np.roll(x, 1, axis=1))]
    assert abs(np.diff(blurred, axis=0)).mean() < 0.5 * abs(np.diff(plain, axis=0)).mean()


def test_channels_stay_apart_and_nothing_is_learned():
    x = RNG.normal(size=(1, 9, 2))
    layer = BlurPool(dtype=WIDEST)
    y = array(layer(x))
    x[..., 1] = 0
    assert_close(array(layer(x))[..., 0], y[..., 0])
    assert layer.weights == []


def test_errors():
    with pytest.raises(InputError, match="`kernel_size` must be an integer >= 2"):
        BlurPool(1)
    with pytest.raises(InputError, match="`padding` must be one of 'reflect', 'same'"):
        BlurPool(padding="valid")
    with pytest.raises(InputError, match="needs more than 2 positions"):
        BlurPool(5)(np.ones((1, 2, 8, 1)))
    with pytest.raises(InputError, match="BlurPool needs an input"):
        BlurPool()(np.ones((4, 8)))
