import math

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from kerasrecipes import InputError
from kerasrecipes.data import split


def check_parts(parts, rows):
    """The parts are disjoint and complete."""
    together = np.concatenate([parts.train_rows, parts.validation_rows, parts.test_rows])
    assert sorted(together.tolist()) == list(range(rows))


@pytest.mark.parametrize("rows", [7, 20, 101])
@pytest.mark.parametrize(
    ("validation", "test"), [(0.15, 0.0), (0.2, 0.1), (0.25, 0.5), (3, 2), (0.3, 1), (0, 0.2)]
)
def test_sizes_are_exact(rows, validation, test):
    parts = split(np.arange(rows), np.linspace(0, 1, rows), validation=validation, test=test)
    sizes = [
        math.floor(size * rows + 0.5) if isinstance(size, float) else size
        for size in (validation, test)
    ]
    assert [len(parts.validation_rows), len(parts.test_rows)] == sizes
    assert len(parts.train_rows) == rows - sum(sizes)
    check_parts(parts, rows)
    assert (parts.validation is None) == (sizes[0] == 0)
    assert (parts.test is None) == (sizes[1] == 0)


@pytest.mark.parametrize("seed", range(5))
def test_classes_keep_their_shares_to_within_one_row(seed):
    x, y = load_digits(return_X_y=True)
    parts = split(x, y, validation=0.15, test=0.1, seed=seed)
    check_parts(parts, len(y))
    share = np.bincount(y) / len(y)
    for part in (parts.train, parts.validation, parts.test):
        assert (abs(np.bincount(part.y) - share * len(part.y)) <= 1.0).all()


@pytest.mark.parametrize(
    "y",
    [
        ["cat", "dog"] * 10,
        np.array([[0], [1]] * 10),
        [True, False] * 10,
        pd.Series(["cat", "dog"] * 10, index=range(100, 120)),
        np.array(["cat", "dog"] * 10, dtype=object),
    ],
    ids=["names", "column", "booleans", "series", "objects"],
)
def test_auto_stratifies_whatever_looks_like_classes(y):
    for seed in range(8):
        rows = split(np.arange(20), y, validation=4, seed=seed).validation_rows
        assert sorted(row % 2 for row in rows) == [0, 0, 1, 1]


@pytest.mark.parametrize("y", [None, np.linspace(0, 1, 20), np.ones((20, 3)), [0, 1] * 10])
def test_without_classes_or_with_false_the_split_is_plain(y):
    stratify = False if isinstance(y, list) else "auto"
    drawn = {
        sum(
            row % 2
            for row in split(
                np.arange(20), y, validation=4, stratify=stratify, seed=seed
            ).validation_rows
        )
        for seed in range(30)
    }
    assert len(drawn) > 1


def test_seed_decides_and_is_kept():
    first, again, other = (split(np.arange(50), seed=seed) for seed in (1, 1, 2))
    assert (first.train_rows == again.train_rows).all()
    assert set(first.validation_rows) != set(other.validation_rows)
    drawn = split(np.arange(50))
    assert (split(np.arange(50), seed=drawn.seed).train_rows == drawn.train_rows).all()
    split(np.arange(50), seed=2**70)


def test_rows_are_in_random_order_in_every_part():
    parts = split(np.arange(300), [0] * 150 + [1] * 150, validation=0.3, test=0.3, seed=0)
    for rows in (parts.train_rows, parts.validation_rows, parts.test_rows):
        assert (np.diff(rows) < 0).mean() > 0.3
    assert (np.diff(split(np.arange(300), validation=0, test=0.2).train_rows) < 0).any()


def test_each_row_is_as_likely_to_be_held_out():
    counts = np.zeros(10)
    for seed in range(600):
        counts[split(np.arange(10), validation=3, seed=seed).validation_rows] += 1
    # Binomial(600, 0.3) has a standard deviation of 11.2.
    assert (abs(counts - 180) < 5 * 11.2).all()


def test_kinds_of_data_come_back_as_they_were():
    frame = pd.DataFrame({"a": range(8), "b": list("abcdefgh")}, index=range(50, 58))
    x = {"frame": frame, "list": list("abcdefgh"), "pair": (np.arange(8), frame["a"])}
    parts = split(x, np.arange(8) / 7, validation=2, seed=0)
    rows = parts.validation_rows
    found = parts.validation.x
    pd.testing.assert_frame_equal(found["frame"], frame.iloc[rows])
    assert found["list"] == ["abcdefgh"[row] for row in rows]
    np.testing.assert_array_equal(found["pair"][0], rows)
    pd.testing.assert_series_equal(found["pair"][1], frame["a"].iloc[rows])
    np.testing.assert_array_equal(parts.validation.y, rows / 7)


def test_without_labels_pairs_hold_none():
    assert split(np.arange(8), validation=2).train.y is None


@pytest.mark.parametrize("groups", [list("aabbccddeeff"), np.repeat(np.arange(6), 2)])
def test_groups_stay_whole(groups):
    for seed in range(10):
        parts = split(np.arange(12), [0, 1] * 6, validation=0.2, test=0.4, groups=groups, seed=seed)
        check_parts(parts, 12)
        held = [
            {groups[row] for row in rows}
            for rows in (parts.train_rows, parts.validation_rows, parts.test_rows)
        ]
        assert [len(each) for each in held] == [3, 1, 2]
        assert len(set.union(*held)) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation": 1.0}, "`validation` must be a number in"),
        ({"validation": -0.1}, "`validation` must be a number in"),
        ({"validation": True}, "`validation` must be a number in"),
        ({"validation": "0.2"}, "`validation` must be a number in"),
        ({"test": -1}, "`test` must be an integer >= 0"),
        ({"validation": 0.01}, "This fraction leaves the part empty"),
        ({"validation": 0}, "must not both be 0"),
        ({"validation": 10, "test": 10}, "must leave rows for training"),
        ({"validation": 0.5, "test": 0.5}, "must leave rows for training"),
        ({"validation": 200}, "must leave rows for training"),
        ({"validation": 1}, "The validation part must have a row for each class"),
        ({"validation": 0.2, "test": 1}, "The test part must have a row for each class"),
        ({"validation": 19}, "The training part must have a row for each class"),
        ({"y": [0] * 19 + [1]}, "at least 2 rows of each class"),
        ({"y": ["a"] * 18 + ["b"] * 2, "test": 0.2}, "at least 3 rows of each class"),
        ({"y": ["a"] * 17 + ["b"] * 3, "validation": 4, "test": 12}, "too few rows to stratify"),
        ({"y": None, "stratify": True}, "`stratify` must be False or 'auto'"),
        ({"y": np.eye(20), "stratify": True}, "labels of shape"),
        ({"stratify": "yes"}, "`stratify` must be one of"),
        ({"y": [0, 1] * 9}, "`x` has 20, `y` has 18"),
        ({"y": 3}, "`y` must be an array with one row per example"),
        ({"seed": -3}, "`seed`"),
        ({"groups": [1] * 20}, "must leave groups for training"),
        ({"groups": [1] * 19}, "`groups` has 19"),
        ({"groups": [1, None] * 10}, "no group in row 1"),
        ({"groups": [1.0, np.nan] * 10}, "no group in row 1"),
        ({"groups": list(range(20)), "stratify": True}, "when groups are given"),
        ({"groups": list(range(20)), "validation": 3}, "a fraction"),
    ],
)
def test_bad_arguments(arguments, message):
    arguments = {"y": [0, 1] * 10, "seed": 0, **arguments}
    if "groups" in arguments and len(set(map(str, arguments["groups"]))) == 1:
        arguments["validation"] = 0.9
    with pytest.raises(InputError, match=message):
        split(np.arange(20), **arguments)
