import keras
import numpy as np
import pytest
import scipy.stats

from kerasrecipes import InputError
from kerasrecipes.data.augment import CutMix

COUNT = 400


def numbered(height, width, *channels):
    """Images whose pixels all hold the number of the image."""
    shape = (COUNT, height, width, *channels)
    return np.arange(COUNT, dtype="float32").reshape(-1, *[1] * (len(shape) - 1)) * np.ones(
        shape, "float32"
    )


@pytest.mark.parametrize("size", [(8, 8), (16, 12), (7, 5, 3), (5, 9, 1)])
def test_label_is_the_exact_share_of_pixels(size):
    images = numbered(*size)
    x, y = CutMix(classes=COUNT, seed=0)(images, np.arange(COUNT))
    plane = np.array(x) if len(size) == 2 else np.array(x)[..., 0]
    expected = np.stack([(plane == k).mean((1, 2)) for k in range(COUNT)], axis=1)
    np.testing.assert_allclose(y, expected, atol=1e-6)
    assert (np.array(x) == (plane if len(size) == 2 else plane[..., None])).all()


def test_what_is_pasted_is_one_box_from_one_partner_at_the_same_place():
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(COUNT, 9, 8, 2)).astype("float32")
    x, y = (np.array(part) for part in CutMix(classes=COUNT, seed=0)(images, np.arange(COUNT)))
    moved = 0
    for row in range(COUNT):
        changed = (x[row] != images[row]).any(-1)
        if not changed.any():
            continue
        moved += 1
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert changed[box].all()
        off = y[row].copy()
        off[row] = 0
        np.testing.assert_array_equal(x[row][box], images[off.argmax()][box])
    assert moved > COUNT / 2


def test_shares_follow_the_paper():
    # The paper's procedure in NumPy, on images so large that whole pixels hardly matter.
    size, rng = 200, np.random.default_rng(1)
    side = size * np.sqrt(1 - rng.beta(1, 1, 20000))
    expected = np.ones(20000)
    for _ in range(2):
        centre = rng.uniform(0, size, 20000)
        low, high = np.maximum(centre - side / 2, 0), np.minimum(centre + side / 2, size)
        expected *= (high - low) / size
    _, y = CutMix(classes=COUNT, seed=0)(numbered(size, size), np.arange(COUNT))
    share = np.diag(np.array(y))
    assert scipy.stats.ks_2samp(1 - share, expected).pvalue > 1e-4


def test_plain_keras_labels_are_not_the_share_of_pixels():
    images = np.random.default_rng(0).uniform(size=(64, 16, 16, 1)).astype("float32")
    drawn = keras.layers.CutMix(seed=0).get_random_transformation(images, training=True)
    area = 1 - np.array(drawn["batch_masks"]).mean((1, 2, 3))
    assert np.abs(area - np.array(drawn["mix_weight"]).ravel()).max() > 0.02


@pytest.mark.parametrize("dtype", ["float16", "float32", "uint8"])
def test_dtypes(dtype):
    images = (numbered(6, 6, 3) % 200).astype(dtype)
    x, _ = CutMix(classes=COUNT, seed=0)(images, np.arange(COUNT))
    assert x.dtype == ("float32" if dtype == "uint8" else dtype)
    assert set(np.unique(x)) <= set(range(200))


def test_weights_are_mixed_by_the_share_of_pixels():
    weight = np.linspace(0.5, 2, COUNT)
    x, y, w = CutMix(classes=COUNT, seed=0)(numbered(8, 8), np.arange(COUNT), weight)
    share = np.stack([(np.array(x) == k).mean((1, 2)) for k in range(COUNT)], axis=1)
    np.testing.assert_allclose(w, share @ weight, rtol=1e-5)
    np.testing.assert_allclose(y, share * weight / (share @ weight)[:, None], atol=1e-6)


@pytest.mark.parametrize("alpha", [0, -1.0, float("nan")])
def test_bad_alpha(alpha):
    with pytest.raises(InputError, match="`alpha`"):
        CutMix(alpha)


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 2, 3, 3, 1)])
def test_inputs_that_are_no_images(shape):
    with pytest.raises(InputError, match="`x`"):
        CutMix(classes=4)(np.zeros(shape, "float32"), np.arange(4))
