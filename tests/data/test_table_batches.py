"""Batches of DataFrames with columns of texts, and the same batches over encoded rows."""

import numpy as np
import pandas as pd
import pytest

from kerasrecipes import InputError
from kerasrecipes.data import Split, TableSchema, batches, split

FRAME = pd.DataFrame({"x": np.arange(10.0), "k": list("abcde") * 2, "flag": [True, False] * 5})
Y = np.arange(10)


def test_batches_are_dicts_of_columns():
    frame = FRAME.assign(k=[None, *FRAME.k[1:]], x=[np.nan, *FRAME.x[1:]])
    (first, y), *_ = batches(frame, Y, batch_size=4, shuffle=False)
    assert sorted(first) == ["flag", "k", "x"]
    assert first["k"].numpy().tolist() == [b"", b"b", b"c", b"d"]
    assert np.isnan(first["x"].numpy()[0])
    assert first["flag"].numpy().tolist() == [1, 0, 1, 0]
    assert y.numpy().tolist() == [0, 1, 2, 3]


def rows_of(data):
    return [x["numeric"].numpy()[:, 0].tolist() for x, *_ in data]


def test_other_inputs_keep_order_labels_and_count_of_epochs():
    weight = np.linspace(0, 1, 10)
    raw = batches(FRAME, Y, batch_size=4, seed=3, sample_weight=weight, drop_remainder=True)
    assert raw.inputs is FRAME
    made = raw.over(TableSchema.from_dataframe(FRAME).encode(FRAME))
    assert (len(made), made.seed, made.batch_size, made.dropped) == (2, 3, 4, 2)
    first = list(made)
    assert raw.epoch == made.epoch == 1
    for x, y, w in first:
        np.testing.assert_array_equal(x["numeric"].numpy()[:, 0], y.numpy())
        np.testing.assert_allclose(w.numpy(), y.numpy() / 9, rtol=1e-6)
    expected = batches(FRAME[["x"]], Y, batch_size=4, seed=3, drop_remainder=True)
    assert rows_of(first) == [x.numpy()[:, 0].tolist() for x, _ in expected]
    raw.epoch = 0
    assert rows_of(made) == rows_of(first)


def test_other_inputs_are_checked():
    with pytest.raises(InputError, match="one row per example"):
        batches(FRAME, Y).over({"numeric": np.ones((9, 1))})
    with pytest.raises(InputError, match="`x` must be left alone"):
        batches(batches(FRAME.x, Y).unbatch()).over({"numeric": np.ones((10, 1))})


def test_dates_are_refused():
    with pytest.raises(InputError, match="'when' of datetime64"):
        batches(FRAME.assign(when=pd.Timestamp("2020-01-01")), Y)


def test_frames_are_split():
    found = split(FRAME, Y % 2, validation=0.2, test=0.2, seed=0)
    assert isinstance(found, Split)
    assert list(found.train.x.columns) == list(FRAME.columns)
    np.testing.assert_array_equal(found.train.x.x % 2, found.train.y)
