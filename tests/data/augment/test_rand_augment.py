import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps
from sklearn.datasets import load_sample_images

from kerasrecipes import InputError
from kerasrecipes.data.augment import RandAugment
from kerasrecipes.data.augment.rand_augment import OPERATIONS, perform

PHOTO = np.ascontiguousarray(load_sample_images().images[1][150:214, 250:330])
DARK = (PHOTO // 3 + 40).astype("uint8")
FACTOR = 0.6


def one(name, image, *, sign=1, factor=FACTOR, fill_mode="constant"):
    """The operation on one image, with a different image next to it that it must not see."""
    batch = np.stack([image, 255 - image]).astype("float32")
    drawn = [OPERATIONS.index(name), OPERATIONS.index("identity")]
    amount = np.full(2, sign * factor, "float32")
    y = np.array(perform(tf.constant(batch), tf.constant(drawn), amount, factor, fill_mode))
    np.testing.assert_allclose(y[1], batch[1], atol=1e-3)
    return y[0]


def by_pil(name, image, sign):
    picture = Image.fromarray(image.squeeze())
    enhanced = {
        "color": ImageEnhance.Color,
        "contrast": ImageEnhance.Contrast,
        "brightness": ImageEnhance.Brightness,
        "sharpness": ImageEnhance.Sharpness,
    }
    if name in enhanced:
        found = enhanced[name](picture).enhance(1 + 0.9 * FACTOR * sign)
    elif name == "posterize":
        found = ImageOps.posterize(picture, 8 - round(4 * FACTOR))
    elif name == "solarize":
        found = ImageOps.solarize(picture, 256 * (1 - FACTOR))
    else:
        found = {"auto_contrast": ImageOps.autocontrast, "equalize": ImageOps.equalize}[name](
            picture
        )
    return np.asarray(found, "float64").reshape(image.shape)


@pytest.mark.parametrize("image", [PHOTO, DARK, DARK[..., :1]], ids=["photo", "dark", "gray"])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("name", "atol"),
    [
        # PIL rounds the gray image to whole values, then the result.
        ("color", 2.0),
        ("contrast", 2.0),
        ("brightness", 1.0),
        ("sharpness", 2.0),
        ("posterize", 0.0),
        ("solarize", 0.0),
        ("auto_contrast", 1.0),
        ("equalize", 0.0),
    ],
)
def test_colours_equal_those_of_pil(name, atol, sign, image):
    np.testing.assert_allclose(one(name, image, sign=sign), by_pil(name, image, sign), atol=atol)


def matrix_of(name, amount, height, width):
    """From output to input places (row, column), in NumPy."""
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    linear, move = np.eye(2), np.zeros(2)
    if name == "rotate":
        angle = np.deg2rad(30 * amount)
        linear = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    elif name == "shear_x":
        linear[1, 0] = 0.3 * amount
    elif name == "shear_y":
        linear[0, 1] = 0.3 * amount
    else:
        axis = int(name == "translate_x")
        move[axis] = 150 / 331 * amount * (height, width)[axis]
    return linear, centre - linear @ centre - move


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", ["rotate", "shear_x", "shear_y", "translate_x", "translate_y"])
def test_geometry_equals_that_of_scipy(name, sign):
    linear, offset = matrix_of(name, sign * FACTOR, *PHOTO.shape[:2])
    expected = [
        scipy.ndimage.affine_transform(
            PHOTO[..., c].astype("float64"), linear, offset, order=1, mode="grid-constant"
        )
        for c in range(3)
    ]
    found = one(name, PHOTO, sign=sign)
    np.testing.assert_allclose(found, np.stack(expected, -1), atol=0.05)


def test_gray_images_have_no_colour_to_change():
    np.testing.assert_allclose(one("color", DARK[..., :1]), DARK[..., :1])


@pytest.mark.parametrize("name", ["auto_contrast", "equalize"])
def test_constant_channels_stay(name):
    flat = np.full((8, 8, 3), 77, "uint8")
    np.testing.assert_array_equal(one(name, flat), flat)


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"auto_contrast", "equalize"}))
def test_factor_zero_does_nothing(name):
    np.testing.assert_allclose(one(name, PHOTO, factor=0.0), PHOTO, atol=1e-3)


@pytest.mark.parametrize("value_range", [(0, 255), (0, 1), (-1, 1)])
def test_value_range_only_scales(value_range):
    low, high = value_range
    x = np.stack([PHOTO] * 16).astype("float64")
    y = RandAugment(value_range=(0, 255), seed=1, dtype="float64")(x, training=True)
    scaled = low + x / 255 * (high - low)
    layer = RandAugment(value_range=value_range, seed=1, dtype="float64")
    found = (np.array(layer(scaled, training=True)) - low) * 255 / (high - low)
    # A rounding may tip a pixel at n + 1/2 over the edge of a step of posterize or equalize.
    assert (np.abs(found - np.array(y)) > 0.01).mean() < 0.002
    assert found.min() >= -1e-6
    assert found.max() <= 255 + 1e-6


def test_each_image_has_its_own_operations_all_equally_likely():
    x = tf.constant(np.stack([PHOTO[:16, :16]] * 700).astype("float32"))
    y = np.array(RandAugment(1, 1.0, value_range=(0, 255), seed=2)(x, training=True))
    kinds = []
    for name in OPERATIONS:
        for sign in (1, -1):
            kinds.append(one(name, PHOTO[:16, :16], sign=sign, factor=1.0, fill_mode="reflect"))
    distance = np.array([np.abs(y - kind).max(axis=(1, 2, 3)) for kind in kinds])
    assert distance.min(axis=0).max() < 0.1
    counts = np.bincount(distance.argmin(axis=0) // 2, minlength=14)
    # Chi-squared with 13 degrees of freedom: the 99.99 % quantile is 42.
    assert ((counts - 50) ** 2 / 50).sum() < 42


def test_plain_keras_draws_once_for_the_batch_and_turns_one_way():
    layer = keras.layers.RandAugment(factor=0.3, seed=0)
    drawn = layer.get_random_transformation(np.zeros((8, 4, 4, 3), "float32"), training=True)
    assert tuple(drawn["layer_idxes"].shape) == (2,)
    assert tuple(layer.random_rotation.factor) == (0, 0.3)
    assert tuple(layer.random_translation.height_factor) == (0, 0.3)


def test_plain_keras_equalizes_the_batch_as_a_whole():
    layer = keras.layers.Equalization(value_range=(0, 255))
    alone, among = layer(PHOTO[None]), layer(np.stack([PHOTO, 255 - PHOTO]))
    assert np.abs(np.array(alone[0]) - np.array(among[0])).max() > 20


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"num_ops": 0}, "num_ops"),
        ({"factor": 1.5}, "factor"),
        ({"factor": -0.1}, "factor"),
        ({"value_range": 255}, "value_range"),
        ({"value_range": (255, 0)}, "value_range"),
        ({"value_range": (0, float("inf"))}, "value_range"),
        ({"value_range": ("0", "1")}, "value_range"),
        ({"fill_mode": "mirror"}, "fill_mode"),
    ],
)
def test_bad_arguments(arguments, name):
    with pytest.raises(InputError, match=f"`{name}`"):
        RandAugment(**{"value_range": (0, 255), **arguments})


def test_images_need_an_axis_of_channels():
    with pytest.raises(InputError, match=r"x\[..., None\]"):
        RandAugment(value_range=(0, 1))(np.zeros((2, 8, 8), "float32"))
