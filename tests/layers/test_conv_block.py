import keras
import numpy as np
import pytest
from scipy.ndimage import correlate

from kerasrecipes._checks import InputError
from kerasrecipes.layers import ConvBlock
from tests.backends import BACKEND, WIDEST, array, assert_close

RNG = np.random.default_rng(0)
SHAPES = {1: (3, 8, 4), 2: (3, 8, 6, 4), 3: (2, 4, 6, 5, 4)}


def make(*args, **kwargs):
    return ConvBlock(*args, **{"dtype": WIDEST, "seed": 0, **kwargs})


def same_convolution(x, kernel):
    """Zero-padded convolution, one channel pair at a time, by SciPy."""
    y = np.zeros((*x.shape[:-1], kernel.shape[-1]))
    for b, i, o in np.ndindex(len(x), x.shape[-1], kernel.shape[-1]):
        y[b, ..., o] += correlate(x[b, ..., i], kernel[..., i, o], mode="constant")
    return y


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_equals_scipy_and_closed_form(rank):
    x = RNG.normal(size=SHAPES[rank])
    layer = make(5, 3, rank=rank, activation="tanh", residual=True)
    y = array(layer(x, training=True))
    z = same_convolution(x, array(layer.linear.kernel))
    axes = tuple(range(rank + 1))
    z = (z - z.mean(axes)) / np.sqrt(z.var(axes) + 1e-3)
    expected = np.tanh(z) + x @ array(layer.projection.kernel).reshape(4, 5)
    assert_close(y, expected, atol=1e-10)


def test_strides_keep_every_second_position_and_project_the_shortcut():
    x = RNG.normal(size=(2, 7, 9, 4))
    layer = make(4, 1, strides=2, activation=None, normalization=None, residual=True)
    y = array(layer(x))
    kernel = array(layer.linear.kernel) + array(layer.projection.kernel)
    assert_close(y, x[:, ::2, ::2] @ kernel.reshape(4, 4), atol=1e-12)


def test_groups_see_only_their_channels():
    x = RNG.normal(size=SHAPES[2])
    layer = make(6, 3, groups=2, activation=None, normalization=None)
    y = array(layer(x))
    other = x.copy()
    other[..., 2:] = 0
    assert_close(array(layer(other))[..., :3], y[..., :3], atol=1e-12)
    assert not np.allclose(array(layer(other))[..., 3:], y[..., 3:])


def test_causal_padding_does_not_look_ahead():
    x = RNG.normal(size=(1, 10, 4))
    layer = make(4, 3, rank=1, padding="causal", dilation_rate=2, residual=True)
    later = x.copy()
    later[:, 6:] += 1
    same = np.isclose(array(layer(x)), array(layer(later))).all(axis=(0, 2))
    assert same.tolist() == [True] * 6 + [False] * 4


def test_selu_spatial_dropout_and_bias():
    assert isinstance(make(4, activation="selu", dropout=0.1).drop, keras.layers.AlphaDropout)
    spatial = make(4, dropout=keras.layers.SpatialDropout2D(0.2)).drop
    assert isinstance(spatial, keras.layers.SpatialDropout2D)
    assert not make(4).linear.use_bias
    assert make(4, normalization=None).linear.use_bias
    assert make(4, synchronized=True).norm.synchronized is (BACKEND == "tensorflow")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [1, 1, 1, 1, 1, 0, 0, 0]),
        ({"strides": 2}, [1, 1, 1, 0]),
        ({"padding": "valid"}, [1, 1, 1, 1, 1, 0]),
        ({"padding": "causal", "dilation_rate": 2}, [1, 1, 1, 1, 1, 0, 0, 0]),
    ],
)
def test_padding_steps_do_not_change_the_result_and_the_mask_goes_on(arguments, expected):
    x = RNG.normal(size=(2, 8, 4))
    x[:, 5:] = 0
    layer = make(3, 3, rank=1, **arguments)
    y = layer(keras.layers.Masking(dtype=WIDEST)(x), training=True)
    np.testing.assert_array_equal(array(y._keras_mask), np.tile(np.array(expected, bool), (2, 1)))
    mask = np.broadcast_to(np.arange(8) < 5, (2, 8))
    dirty = np.where(mask[..., None], x, 1e3)
    valid = np.array(expected, bool)
    again = array(layer(dirty, training=True, mask=mask))
    assert_close(array(y)[:, valid], again[:, valid], atol=1e-12)


def test_prediction_of_a_masked_model_does_not_depend_on_the_padding():
    inputs = keras.Input((None, 4))
    x = keras.layers.Masking()(inputs)
    for strides in (1, 2):
        x = ConvBlock(6, 3, rank=1, strides=strides, residual=True, order="pre-activation")(x)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(x))
    short = RNG.normal(size=(2, 6, 4)).astype("float32")
    padded = np.pad(short, [(0, 0), (0, 4), (0, 0)])
    assert_close(model.predict(short, verbose=0), model.predict(padded, verbose=0), atol=1e-6)


ERRORS = [
    ({"filters": 0}, "`filters` must be an integer >= 1"),
    ({"filters": 4, "rank": 4}, "`rank` must be one of 1, 2, 3"),
    ({"filters": 4, "kernel_size": (3, 3, 3)}, "`kernel_size`.*each of the 2"),
    ({"filters": 4, "strides": 0}, "`strides` must be an integer >= 1"),
    ({"filters": 4, "padding": "causal"}, "`padding` must be one of 'same', 'valid'"),
    ({"filters": 4, "groups": 3}, "`groups` must divide `filters`"),
    ({"filters": 4, "strides": 2, "dilation_rate": 2}, "`strides` and `dilation_rate`"),
    ({"filters": 4, "padding": "valid", "residual": True}, "`residual=True` needs"),
]


def test_errors():
    for arguments, message in ERRORS:
        with pytest.raises(InputError, match=message):
            ConvBlock(**arguments)
