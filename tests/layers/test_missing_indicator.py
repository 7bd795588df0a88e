import numpy as np
import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.layers import MissingIndicator
from tests.backends import array


def test_equals_isnan():
    x = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    x[::3, 1] = x[1::4, 3] = np.nan
    np.testing.assert_array_equal(array(MissingIndicator([3, 1])(x)), np.isnan(x[:, [3, 1]]))


def test_errors():
    for columns in ([], 1, [-1], [0.5]):
        with pytest.raises(InputError, match="`columns` must be"):
            MissingIndicator(columns)
    with pytest.raises(InputError, match="`columns` must be positions below 2"):
        MissingIndicator([2])(np.ones((3, 2)))
