import hashlib

import numpy as np
import pandas as pd
import pytest

from kerasrecipes.data import fingerprint

X = np.arange(12, dtype="float32").reshape(4, 3)
Y = np.array(["a", "b", "a", "ä"], dtype=object)


def test_is_pinned_and_is_the_hash_of_what_the_documentation_says():
    values = np.array([1, 256], "<i4")
    expected = hashlib.sha256(b"x:None:<i4:(2,);" + b"\1\0\0\0\0\1\0\0" + b"y:none;").hexdigest()
    assert fingerprint(values) == expected


@pytest.mark.parametrize(
    "same",
    [X.copy(order="F"), X.astype(">f4"), X[::-1][::-1], np.asarray(X, order="C")],
    ids=["fortran", "big-endian", "strides", "same"],
)
def test_memory_does_not_matter(same):
    assert fingerprint(same, Y) == fingerprint(X, Y)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X + 1, Y),
        (X[::-1], Y),
        (X.astype("float64"), Y),
        (X.reshape(3, 4), Y),
        (X, None),
        (X, Y[::-1]),
        (X, np.array(["a", "b", "a", "a"], dtype=object)),
        (X, np.array(["a", "ba", "", "ä"], dtype=object)),
        ({"a": X}, Y),
        (pd.DataFrame(X), Y),
    ],
)
def test_any_change_changes_it(x, y):
    assert fingerprint(x, y) != fingerprint(X, Y)


def test_names_of_columns_and_keys_count():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    assert fingerprint(frame) != fingerprint(frame.rename(columns={"a": "z"}))
    assert fingerprint({"a": X, "b": X + 1}) != fingerprint({"a": X + 1, "b": X})


def test_kinds_of_holders():
    assert fingerprint(list(Y)) == fingerprint(Y) == fingerprint(pd.Series(Y))
    assert fingerprint(np.zeros((0, 3))) != fingerprint(np.zeros((0, 4)))
    assert fingerprint(np.array([True, False])) != fingerprint(np.array([1, 0], "uint8"))
