"""Which rows estimators keep for validation, on labels of every size."""

import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.estimators._validation import train_and_validation


@pytest.mark.parametrize(
    ("classes", "validation", "expected"),
    [
        ([0] * 60 + [1] * 40, 0.2, 20),
        ([0] * 60 + [1] * 40, 7, 7),
        (None, 0.25, 25),
        ([0] * 98 + [1, 2], 0.2, 20),
    ],
)
def test_each_row_is_in_one_part_and_follows_from_the_seed(classes, validation, expected):
    classes = None if classes is None else np.array(classes)
    train, held_out = train_and_validation(100, classes, validation, 3)
    assert len(held_out) == expected
    assert sorted([*train, *held_out]) == list(range(100))
    again = train_and_validation(100, classes, validation, 3)
    assert (train == again[0]).all()
    assert (held_out == again[1]).all()
    assert sorted(held_out) != sorted(train_and_validation(100, classes, validation, 4)[1])


def test_classes_have_their_share_of_both_parts():
    classes = np.array([0] * 60 + [1] * 40)
    _, held_out = train_and_validation(100, classes, 0.2, 0)
    assert np.bincount(classes[held_out]).tolist() == [12, 8]


@pytest.mark.parametrize("classes", [[0, 0, 0, 0, 0, 1], [0, 1, 2, 3, 4, 5, 0], [0, 0, 1, 1, 2, 2]])
@pytest.mark.parametrize("seed", range(5))
def test_classes_too_small_for_a_share_stay_in_the_training(classes, seed):
    classes = np.array(classes)
    train, _ = train_and_validation(len(classes), classes, 2, seed)
    assert set(classes[train]) == set(classes)


def test_where_every_row_is_needed_there_is_no_validation():
    train, held_out = train_and_validation(3, np.array([0, 1, 2]), 0.4, 0)
    assert sorted(train) == [0, 1, 2]
    assert len(held_out) == 0


@pytest.mark.parametrize("validation", [None, 0, 0.0, 0.04])
def test_without_a_share_all_rows_train(validation):
    train, held_out = train_and_validation(10, np.arange(10) % 2, validation, 0)
    assert train.tolist() == list(range(10))
    assert len(held_out) == 0


@pytest.mark.parametrize("validation", [-0.1, 1.0, 10, True, "0.2", np.nan])
def test_other_shares_are_refused(validation):
    with pytest.raises(InputError, match="`validation` must be"):
        train_and_validation(10, None, validation, 0)
