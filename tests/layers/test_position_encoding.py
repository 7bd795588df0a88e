import keras
import numpy as np
import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.layers import PositionEncoding
from tests.backends import array


@pytest.mark.parametrize("channels", [1, 2, 7, 64])
def test_equals_the_formula(channels):
    x = np.random.default_rng(0).normal(size=(2, 50, channels))
    t, pairs = np.arange(50)[:, None], channels // 2
    angles = t / 1e3 ** (np.arange(pairs) / max(pairs, 1))
    expected = np.zeros((50, channels))
    expected[:, :pairs], expected[:, pairs : 2 * pairs] = np.sin(angles), np.cos(angles)
    y = array(PositionEncoding(1e3)(x.astype("float32")))
    np.testing.assert_allclose(y - x, np.broadcast_to(expected, x.shape), atol=1e-5)


def test_mean_square_is_a_half():
    y = array(PositionEncoding()(np.zeros((1, 9, 16), "float32")))
    np.testing.assert_allclose((y**2).mean(axis=-1), 0.5, atol=1e-6)


def test_any_length_and_masks_pass():
    inputs = keras.Input((None, 4))
    masked = keras.layers.Masking()(inputs)
    means = keras.layers.GlobalAveragePooling1D()(PositionEncoding()(masked))
    model = keras.Model(inputs, means)
    x = np.ones((1, 3, 4), "float32")
    longer = np.concatenate([x, np.zeros((1, 5, 4), "float32")], axis=1)
    first, second = (array(model(each)) for each in (x, longer))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_bad_input():
    for longest in (1.0, "far", float("inf")):
        with pytest.raises(InputError, match="`longest`"):
            PositionEncoding(longest)
    with pytest.raises(InputError, match="PositionEncoding needs an input"):
        PositionEncoding()(np.zeros((2, 3), "float32"))
