import numpy as np
import pytest
from sklearn import metrics

from kerasrecipes import InputError
from kerasrecipes.reporting import confusion, confusion_matrix, fitted, residuals
from kerasrecipes.reporting.style import DARK, LIGHT, to_png


def test_the_counts_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    ours = confusion_matrix(y_true, y_pred, classes=5)
    theirs = metrics.confusion_matrix(y_true, y_pred, labels=range(5))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("style", [LIGHT, DARK])
def test_the_matrix_shows_counts_names_and_shares(style):
    figure = confusion([0, 0, 1, 1], [0, 1, 1, 1], class_names=["cat", "a long name"], style=style)
    axes = figure.axes[0]
    assert {text.get_text() for text in axes.texts} == {"1", "2"}
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["cat", "a long name"]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.5, 0.5], [0.0, 1.0]])


def test_many_classes_have_no_numbers_and_no_names():
    labels = np.arange(60)
    figure = confusion(labels, labels, class_names=[str(label) for label in labels])
    assert not figure.axes[0].texts
    assert len(figure.axes[0].get_xticks()) < 20
    assert to_png(figure)


def test_points_are_pairs_of_true_and_predicted():
    axes = fitted([1.0, 2.0], [[1.5], [1.75]]).axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[1.0, 1.5], [2.0, 1.75]]


def test_residuals_are_predicted_minus_true():
    axes = residuals([1.0, 2.0, 3.0], [1.5, 2.5, 3.5]).axes[0]
    filled = [patch for patch in axes.patches if patch.get_height()]
    assert sum(patch.get_height() for patch in filled) == 3
    assert all(patch.get_x() <= 0.5 <= patch.get_x() + patch.get_width() for patch in filled)


@pytest.mark.parametrize("pair", [([1, 2], [1]), ([], [])])
def test_sizes_must_agree(pair):
    with pytest.raises(InputError, match="`y_true` and `y_pred` must be of one size"):
        residuals(*pair)
