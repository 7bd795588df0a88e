import keras
import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.data.augment import ImagePolicy

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 8, 10, 3)).astype("uint8")
NUMBERED = np.arange(256, dtype="float32").reshape(1, 16, 16, 1).repeat(2000, 0)


@pytest.mark.parametrize("policy", ["none", "light", "standard", "strong"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("dtype", "high"), [("uint8", 255), ("float32", 255), ("float32", 1), ("float16", 255)]
)
def test_policies_keep_shape_and_range(policy, channels, dtype, high):
    x = RNG.integers(0, 256, (4, 8, 10, channels))
    x = (x / 255 * high if high == 1 else x).astype(dtype)
    layer = ImagePolicy(policy, value_range=(0, high), seed=0)
    y = np.array(layer(x, training=True))
    assert y.shape == x.shape
    assert y.dtype == "float32"
    assert np.isfinite(y).all()
    assert y.min() >= -1e-5
    assert y.max() <= high * 1.00001
    assert (y == x).all() == (policy == "none")
    assert np.array_equal(np.array(layer(x)), x.astype("float32"))


def kinds(images, flipped):
    """How each image was flipped."""
    found = []
    for a, b in zip(images, flipped, strict=True):
        forms = {"": a, "h": a[:, ::-1], "v": a[::-1], "hv": a[::-1, ::-1]}
        found.append([name for name, form in forms.items() if np.array_equal(form, b)][0])
    return found


@pytest.mark.parametrize(
    ("flip", "expected"),
    [
        (False, [""]),
        ("horizontal", ["", "h"]),
        ("vertical", ["", "v"]),
        ("horizontal_and_vertical", ["", "h", "v", "hv"]),
    ],
)
def test_flips_are_equally_likely(flip, expected):
    x = RNG.uniform(size=(2000, 3, 4, 2)).astype("float32")
    layer = ImagePolicy("none", flip=flip, seed=0)
    found = kinds(x, np.array(layer(x, training=True)))
    assert set(found) == set(expected)
    for kind in expected:
        # Five standard deviations of the binomial distribution.
        share = 1 / len(expected)
        assert abs(found.count(kind) / 2000 - share) <= 5 * np.sqrt(share * (1 - share) / 2000)


def test_plain_keras_flips_along_both_axes_or_none():
    x = RNG.uniform(size=(200, 3, 4, 1)).astype("float32")
    layer = keras.layers.RandomFlip("horizontal_and_vertical", seed=0)
    assert set(kinds(x, np.array(layer(x, training=True)))) == {"", "hv"}


def test_crop_moves_each_image_by_whole_pixels():
    layer = ImagePolicy("none", crop=2.5 / 16, fill_mode="constant", seed=0)
    y = np.array(layer(NUMBERED, training=True))[..., 0]
    centre = y[:, 8, 8]
    for moved in (centre % 16 - 8, centre // 16 - 8):
        values, counts = np.unique(moved, return_counts=True)
        assert values.tolist() == [-2, -1, 0, 1, 2]
        assert ((counts - 400) ** 2 / 400).sum() < 23.5  # chi-squared, 4 degrees, 99.99 %
    down, right = -(centre // 16 - 8).astype(int), -(centre % 16 - 8).astype(int)
    for row in range(50):
        padded = np.pad(NUMBERED[row, ..., 0], 2)
        top, left = 2 - down[row], 2 - right[row]
        np.testing.assert_array_equal(y[row], padded[top : top + 16, left : left + 16])


def test_crop_fills_with_the_lowest_value():
    x = np.zeros((50, 8, 8, 1), "float32")
    layer = ImagePolicy("none", crop=0.3, fill_mode="constant", value_range=(-1, 1), seed=0)
    assert np.unique(np.array(layer(x, training=True))).tolist() == [-1, 0]


@pytest.mark.parametrize("probability", [0.25, 1.0])
def test_erasing_has_its_probability_area_and_value(probability):
    x = np.zeros((2000, 20, 20, 3), "float32")
    layer = ImagePolicy("none", erasing=probability, value_range=(0, 1), seed=0)
    y = np.array(layer(x, training=True))
    assert set(np.unique(y)) == {0.0, 0.5}
    assert (y[..., 0] == y[..., 2]).all()
    area = (y[..., 0] > 0).mean((1, 2))
    spread = np.sqrt(probability * (1 - probability) / 2000)
    assert abs((area > 0).mean() - probability) <= 5 * spread
    # The mean of sqrt(U(0.02, 0.33)) squared, since the sides are drawn apart.
    side = 2 / 3 * (0.33**1.5 - 0.02**1.5) / (0.33 - 0.02)
    assert area[area > 0].mean() == pytest.approx(side**2, rel=0.05)


def test_plain_keras_halves_the_probability_and_clips_half_of_the_noise():
    x = np.full((2000, 16, 16, 1), 100.0, "float32")
    plain = keras.layers.RandomErasing(factor=0.5, fill_value=0.0, seed=0)
    touched = (np.array(plain(x, training=True)) != 100).any((1, 2, 3)).mean()
    assert touched < 0.35
    noise = np.array(keras.layers.RandomErasing(factor=(1.0, 1.0), seed=0)(x, training=True))
    assert (noise[noise != 100] == 0).mean() == pytest.approx(0.5, abs=0.02)


def test_overrides_and_policies_are_in_the_attributes():
    layer = ImagePolicy("strong", flip=False, crop=0, value_range=(0, 1))
    assert (layer.flip, layer.crop, layer.factor, layer.erasing) == (False, 0, 0.5, 0.25)
    assert [step.name for step in layer.steps] == ["rand_augment", "erasing"]
    clone = ImagePolicy.from_config(layer.get_config())
    assert [step.name for step in clone.steps] == ["rand_augment", "erasing"]


def test_steps_draw_from_streams_of_their_own():
    layer = ImagePolicy("strong", flip="horizontal_and_vertical", value_range=(0, 1), seed=0)
    seeds = [step.seed for step in layer.steps]
    assert len(set(seeds)) == len(seeds) == 5


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"policy": "strnog"}, "policy"),
        ({"flip": True}, "flip"),
        ({"flip": "left"}, "flip"),
        ({"crop": 1.0}, "crop"),
        ({"crop": -0.1}, "crop"),
        ({"factor": 2}, "factor"),
        ({"num_ops": 1.5}, "num_ops"),
        ({"erasing": 1.1}, "erasing"),
        ({"value_range": None}, "value_range"),
        ({"value_range": (1, 0)}, "value_range"),
        ({"fill_mode": "zeros"}, "fill_mode"),
    ],
)
def test_bad_arguments(arguments, name):
    with pytest.raises(InputError, match=f"`{name}`"):
        ImagePolicy(**{"value_range": (0, 255), **arguments})


def test_near_miss_is_suggested():
    with pytest.raises(InputError, match="Did you mean 'strong'"):
        ImagePolicy("strnog")


def test_images_need_an_axis_of_channels():
    with pytest.raises(InputError, match="shape"):
        ImagePolicy("light")(keras.Input((8, 8)))
