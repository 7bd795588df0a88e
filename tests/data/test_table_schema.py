"""TableSchema: what it infers, refuses and encodes, by values written out or counted by hand."""

import json
import time

import keras
import numpy as np
import pandas as pd
import pytest

from kerasrecipes import InputError
from kerasrecipes.data import TableSchema

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "size": [1.5, np.nan, 3.0, 2.0],
        "count": pd.array([1, 2, None, 4], dtype="Int64"),
        "city": ["b", None, "a", "b"],
        "level": pd.Categorical(["low", "high", "low", None], ["low", "mid", "high"]),
        "flag": [True, False, True, True],
        "code": [10, 20, 10, 30],
    }
)
SCHEMA = TableSchema.from_dataframe(FRAME, categorical=["code"])


def test_kinds_categories_and_counts():
    assert [column.name for column in SCHEMA.numeric] == ["size", "count"]
    found = {c.name: (c.categories, c.counts, c.missing, c.holds) for c in SCHEMA.categorical}
    assert found == {
        "city": (("a", "b"), (1, 2), 1, "text"),
        "level": (("low", "high"), (2, 1), 1, "text"),
        "flag": ((False, True), (1, 3), 0, "bool"),
        "code": ((10, 20, 30), (2, 1, 1), 0, "number"),
    }
    assert SCHEMA.rows == 4


def test_statistics_equal_numpy():
    x = np.concatenate([RNG.lognormal(3.0, 2.0, 500), [np.nan] * 7])
    column = TableSchema.from_dataframe({"x": x}).numeric[0]
    known = x[:500]
    assert column.missing == 7
    expected = np.quantile(known, np.linspace(0, 1, 97))
    np.testing.assert_allclose(column.quantiles, expected, rtol=1e-8)
    low, median, high = np.min(known), np.median(known), np.max(known)
    np.testing.assert_allclose([column.low, column.median, column.high], [low, median, high])
    np.testing.assert_allclose(column.quartiles, np.quantile(known, [0.25, 0.75]))
    np.testing.assert_allclose(column.robust_scale, np.subtract(*column.quartiles[::-1]))
    np.testing.assert_allclose(column.edges(12), np.quantile(known, np.linspace(0, 1, 13)), 1e-6)


def test_landmarks_leave_room_beside_a_value_that_most_rows_have():
    few = TableSchema.from_dataframe({"x": [3.0, 1.0, 1.0, 7.0]}).numeric[0]
    assert few.landmarks == (1.0, 3.0, 7.0)
    assert few.edges(48) == [1.0, 3.0, 7.0]
    rare = RNG.uniform(1.0, 2.0, 1000)
    column = TableSchema.from_dataframe({"x": np.concatenate([np.zeros(9000), rare])}).numeric[0]
    assert np.unique(column.quantiles).size < 12
    edges = np.array(column.edges(48))
    assert edges[0] == 0.0
    # 9,000 zeros count as 10,000 / 96 rows, half of them beyond the end
    assert (edges > 1.0).sum() == pytest.approx(48 * 1000 / 1052, abs=2)
    expected = np.quantile(rare, np.linspace(0, 1, (edges > 1).sum()))
    np.testing.assert_allclose(edges[edges > 1.0], expected, atol=0.03)


def test_scale_of_a_column_with_equal_quartiles_is_half_its_range():
    column = TableSchema.from_dataframe({"x": [0.0] * 9 + [8.0]}).numeric[0]
    assert column.robust_scale == 4.0
    assert column.edges(48) == [0.0, 8.0]


def test_encoding_row_by_row():
    new = pd.DataFrame(
        {
            "code": [30, 99, np.nan],
            "flag": [True, False, None],
            "other": ["left", "out", "!"],
            "level": ["high", "mid", "low"],
            "city": ["a", "c", None],
            "count": [None, 7, 8],
            "size": [np.nan, 2.5, 1],
        }
    )
    encoded = SCHEMA.encode(new)
    numeric, codes = encoded["numeric"], encoded["categorical"]
    assert (numeric.dtype, codes.dtype) == ("float32", "int32")
    np.testing.assert_array_equal(numeric, [[np.nan, np.nan], [2.5, 7], [1, 8]])
    assert codes.tolist() == [[1, 2, 2, 3], [0, 0, 1, 0], [0, 1, 0, 0]]
    assert SCHEMA.encode(encoded) is encoded


def test_columns_may_be_of_another_type_if_they_mean_the_same():
    table = {
        "size": np.array([1, 2], "int8"),
        "count": [1.0, 2.0],
        "city": pd.Categorical(["b", "a"]),
        "level": np.array(["low", "high"], object),
        "flag": [1, 0],
        "code": pd.Categorical([20, 10]),
    }
    codes = SCHEMA.encode(table)["categorical"]
    assert codes.tolist() == [[2, 1, 2, 2], [1, 2, 1, 1]]
    empty = {**table, "city": [np.nan, np.nan], "flag": [None, None]}
    assert SCHEMA.encode(empty)["categorical"][:, [0, 2]].tolist() == [[0, 0], [0, 0]]


def test_matrices_have_numbered_columns():
    matrix = RNG.normal(size=(20, 3))
    schema = TableSchema.from_dataframe(matrix)
    assert [column.name for column in schema.columns] == ["0", "1", "2"]
    np.testing.assert_array_equal(schema.encode(matrix)["numeric"], matrix.astype("float32"))
    assert list(schema.encode(matrix)) == ["numeric"]
    with pytest.raises(InputError, match="3 columns, as in training"):
        schema.encode(matrix[:, :2])
    with pytest.raises(InputError, match="3 columns, as in training"):
        schema.encode(np.ones((2, 4)))


def test_constant_columns_can_be_left_out():
    frame = FRAME.assign(same=1, void=np.nan, word="x")
    schema = TableSchema.from_dataframe(frame, ignore="constant")
    assert schema.ignored == ("same", "void", "word")
    assert len(schema.columns) == 6
    matrix = np.column_stack([np.arange(4), np.ones(4)])
    schema = TableSchema.from_dataframe(matrix, ignore="constant")
    assert schema.encode(matrix)["numeric"].tolist() == [[0], [1], [2], [3]]
    assert "ignored" in str(schema)


def test_it_survives_json_and_keras():
    config = json.loads(json.dumps(SCHEMA.get_config()))
    assert TableSchema.from_config(config) == SCHEMA
    saved = keras.saving.serialize_keras_object(SCHEMA)
    assert keras.saving.deserialize_keras_object(saved) == SCHEMA
    assert hash(SCHEMA) == hash(TableSchema.from_config(config))
    with pytest.raises(AttributeError):
        SCHEMA.rows = 5


def test_samples_have_the_statistics_of_the_columns():
    frame = pd.DataFrame(
        {"x": RNG.exponential(size=4000), "k": RNG.choice(["a", "b", "c"], 4000, p=[0.7, 0.2, 0.1])}
    )
    frame.loc[::4, "x"] = np.nan
    schema = TableSchema.from_dataframe(frame)
    drawn = schema.sample(20000, seed=1)
    x, k = drawn["numeric"][:, 0], drawn["categorical"][:, 0]
    assert np.isnan(x).mean() == pytest.approx(0.25, abs=0.02)
    known = frame["x"].dropna()
    for share in (0.1, 0.5, 0.9):
        assert np.nanquantile(x, share) == pytest.approx(known.quantile(share), rel=0.06)
    assert np.bincount(k, minlength=4)[1:] / 20000 == pytest.approx([0.7, 0.2, 0.1], abs=0.02)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["a", "a", "a"], "must vary. Received: one value in all rows"),
        ([1.0, 1.0, 1.0], 'must vary.*`ignore="constant"`'),
        ([np.nan] * 3, "must hold a value. Received: all are missing"),
        (pd.to_datetime(["2020-01-01"] * 3), r"such as `df\['c'\].dt.month`"),
        (pd.to_timedelta([1, 2, 3], "s"), "must hold numbers, texts or truth values"),
        ([1 + 2j, 0j, 1j], "must hold numbers, texts or truth values"),
        ([1, "a", 2.5], "must hold numbers, texts or truth values"),
        ([[1], [2], [3]], "must hold numbers, texts or truth values"),
        ([1.0, np.inf, 2.0], "finite numbers.*inf in row 1"),
        ([1.0, 1e39, 2.0], "in the range of float32"),
    ],
)
def test_refused_columns(column, message):
    frame = pd.DataFrame({"good": [1.0, 2.0, 3.0], "c": pd.Series(column)})
    with pytest.raises(InputError, match=f"Column 'c' .*{message}"):
        TableSchema.from_dataframe(frame)
    assert TableSchema.from_dataframe(frame, ignore=["c"]).ignored == ("c",)


def test_refused_tables():
    twice = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])
    for table, message in (
        (twice, "2 columns named 'a'"),
        (pd.DataFrame({"1": [1, 2], 1: [3, 4]}), "2 columns named '1'"),
        (pd.DataFrame({"a": []}), "a table with rows and columns"),
        (np.arange(3.0), "a DataFrame, a dict of columns, or a matrix"),
        (np.array([["a", "b"]]), "a DataFrame, a dict of columns, or a matrix"),
        ({"a": [1, 2], "b": [1]}, "a dict of equally long columns"),
    ):
        with pytest.raises(InputError, match=message):
            TableSchema.from_dataframe(table)
    for arguments, message in (
        ({"categorical": "code"}, "`categorical` must be a list"),
        ({"categorical": ["cody"]}, "Did you mean 'code'"),
        ({"ignore": "code"}, "`ignore` must be a list"),
        ({"ignore": ["code"], "categorical": ["code"]}, "both name 'code'"),
        ({"ignore": list(FRAME)}, "must have a column that varies"),
    ):
        with pytest.raises(InputError, match=message):
            TableSchema.from_dataframe(FRAME, **arguments)


def test_refused_rows_to_encode():
    for change, message in (
        ({"city": None}, "Missing: 'city'"),
        ({"size": ["a"] * 4}, "'size' must hold numbers, as in training"),
        ({"size": [np.inf] * 4}, "'size' must hold finite numbers"),
        ({"count": ["a"] * 4}, "'count' must hold numbers, as in training"),
        ({"city": [1, 2, 3, 4]}, "'city' must hold texts, as in training"),
        ({"flag": ["yes"] * 4}, "'flag' must hold truth values, as in training"),
        ({"code": ["10"] * 4}, "'code' must hold numbers, as in training"),
    ):
        name = next(iter(change))
        frame = FRAME.drop(columns=name) if change[name] is None else FRAME.assign(**change)
        with pytest.raises(InputError, match=message):
            SCHEMA.encode(frame)
    with pytest.raises(InputError, match="Did you mean 'sizes'"):
        SCHEMA.encode(FRAME.rename(columns={"size": "sizes"}))


def test_encoding_is_fast():
    n = 43_000
    frame = pd.DataFrame({f"x{i}": RNG.normal(size=n) for i in range(6)})
    for i in range(4):
        frame[f"k{i}"] = RNG.choice([f"value {j}" for j in range(100)], n)
    schema = TableSchema.from_dataframe(frame)
    seconds = []
    for _ in range(3):
        began = time.process_time()
        schema.encode(frame)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.1
