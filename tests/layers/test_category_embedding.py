import numpy as np
import pytest
from scipy import stats

from kerasrecipes._checks import InputError
from kerasrecipes.layers import CategoryEmbedding
from tests.backends import array, assert_close

SIZES = [4, 2, 30, 1, 12]
CODES = np.stack([np.random.default_rng(0).integers(0, n + 1, 40) for n in SIZES], axis=1)


def test_one_hot_columns_equal_numpy():
    layer = CategoryEmbedding(SIZES, units=0)
    parts = []
    for size, codes in zip(SIZES, CODES.T, strict=True):
        hot = np.vstack([np.zeros(size), np.eye(size)])[codes]
        parts.append(hot[:, 1:] - hot[:, :1] if size == 2 else hot)
    np.testing.assert_array_equal(array(layer(CODES)), np.concatenate(parts, axis=1))
    assert not layer.weights


def test_vectors_are_rows_of_one_table_for_each_width():
    layer = CategoryEmbedding(SIZES, units=[0, 0, 3, 0, 3], seed=0)
    y = array(layer(CODES))
    table = array(layer.tables[0])
    assert table.shape == (31 + 13, 3)
    hot = array(CategoryEmbedding([4, 2, 1], units=0)(CODES[:, [0, 1, 3]]))
    expected = [hot, table[CODES[:, 2]], table[31 + CODES[:, 4]]]
    assert_close(y, np.concatenate(expected, axis=1))


def test_widths_may_differ():
    layer = CategoryEmbedding(SIZES, units=[2, 5, 2, 0, 3])
    assert array(layer(CODES)).shape == (40, 1 + 2 + 2 + 5 + 3)
    assert [tuple(table.shape) for table in layer.tables] == [(36, 2), (13, 3), (3, 5)]


def test_start_is_normal_and_zero_for_unknown_categories():
    layer = CategoryEmbedding([500, 300], units=8, scale=0.5, seed=0)
    layer.build((None, 2))
    table = array(layer.tables[0])
    assert not table[[0, 501]].any()
    known = np.delete(table, [0, 501], axis=0)
    assert stats.kstest(known.ravel(), stats.norm(0, 0.5).cdf).pvalue > 0.01


def test_errors():
    for arguments, message in (
        ({"sizes": []}, "`sizes`"),
        ({"sizes": [0]}, "`sizes`"),
        ({"sizes": [3], "units": [1, 2]}, "`units` must be one number, or one for each"),
        ({"sizes": [3], "units": -1}, "`units`"),
        ({"sizes": [3], "scale": 0}, "`scale`"),
    ):
        with pytest.raises(InputError, match=message):
            CategoryEmbedding(**arguments)
    with pytest.raises(InputError, match="an input of 5 columns"):
        CategoryEmbedding(SIZES)(np.ones((2, 4)))
