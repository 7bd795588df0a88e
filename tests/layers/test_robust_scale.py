import numpy as np
import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.layers import RobustScale
from tests.backends import array, assert_close, needs

X = np.random.default_rng(0).normal(5.0, 20.0, size=(50, 3))
CENTER, SCALE = [4.0, 5.0, 6.0], [10.0, 20.0, 0.0]


def test_equals_the_formula():
    z = (X - CENTER) * [1 / 10, 1 / 20, 0]
    y = array(RobustScale(CENTER, SCALE)(X.astype("float32")))
    assert_close(y, z / np.sqrt(1 + (z / 3) ** 2), atol=1e-6)
    assert_close(array(RobustScale(CENTER, SCALE, clip=None)(X.astype("float32"))), z, atol=1e-6)


def test_missing_and_huge_values():
    x = np.array([[np.nan, np.nan, np.nan], [3e38, -3e38, 3e38]], "float32")
    assert array(RobustScale(CENTER, SCALE)(x)).round(5).tolist() == [[0, 0, 0], [3, -3, 0]]


def test_half_precision_sees_raw_values_beyond_its_range():
    layer = RobustScale([1e6], [1e5], dtype="mixed_float16")
    y = layer(np.array([[1.1e6]], "float32"))
    assert_close(array(y).astype("float32"), [[1 / np.sqrt(1 + 1 / 9)]], rtol=1e-3)


@needs("tensorflow", "gradients by a tape")
def test_gradients_are_finite_at_missing_values():
    import tensorflow as tf

    x = tf.constant([[np.nan, 1.0, 2.0], [0.0, 5.0, np.inf]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = RobustScale(CENTER, [10.0, 20.0, 1.0])(x)
    assert np.isfinite(array(y)).all()
    assert np.isfinite(tape.gradient(y, x).numpy()[0]).all()


def test_errors():
    for arguments, message in (
        (([], []), "`center` must be a finite number for each column"),
        (([np.nan], [1.0]), "`center` must be a finite"),
        (([0.0], [1.0, 2.0]), "`scale` must be 1 numbers >= 0"),
        (([0.0], [-1.0]), "`scale` must be 1 numbers >= 0"),
    ):
        with pytest.raises(InputError, match=message):
            RobustScale(*arguments)
    with pytest.raises(InputError, match="`clip` must be a number > 0"):
        RobustScale([0.0], [1.0], clip=0)
    with pytest.raises(InputError, match="an input of 3 columns"):
        RobustScale(CENTER, SCALE)(np.ones((2, 4)))
