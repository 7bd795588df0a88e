import keras
import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.data.augment import LabelSmoothing

X = np.arange(6, dtype="int32")[:, None]
Y = np.array([0, 2, 1, 1, 0, 2])


@pytest.mark.parametrize("smoothing", [0, 0.1, 0.7])
def test_loss_equals_that_of_keras(smoothing):
    p = np.random.default_rng(0).dirichlet(np.ones(3), 6).astype("float32")
    x, y = LabelSmoothing(smoothing, classes=3)(X, Y)
    assert (x == X).all()
    np.testing.assert_allclose(y, (1 - smoothing) * np.eye(3)[Y] + smoothing / 3, atol=1e-7)
    expected = keras.losses.categorical_crossentropy(np.eye(3)[Y], p, label_smoothing=smoothing)
    found = keras.losses.categorical_crossentropy(y, p)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_binary_loss_equals_that_of_keras():
    p = np.random.default_rng(0).uniform(0.1, 0.9, (6, 1)).astype("float32")
    y = (Y > 0).astype("float32")[:, None]
    _, soft = LabelSmoothing(0.2, classes=1)(X, y)
    expected = keras.losses.binary_crossentropy(y, p, label_smoothing=0.2)
    np.testing.assert_allclose(keras.losses.binary_crossentropy(soft, p), expected, rtol=1e-5)


def test_weights_and_inputs_of_any_kind_pass():
    x, y, w = LabelSmoothing(classes=3)({"a": X}, Y, np.arange(6.0))
    assert list(x) == ["a"]
    assert tuple(y.shape) == (6, 3)
    np.testing.assert_array_equal(w, np.arange(6))


@pytest.mark.parametrize("smoothing", [1.0, -0.1, "a"])
def test_bad_smoothing(smoothing):
    with pytest.raises(InputError, match="`smoothing`"):
        LabelSmoothing(smoothing)
