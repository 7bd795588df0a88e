"""From the training rows of a table to its columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kerasrecipes._checks import InputError, did_you_mean, fail
from kerasrecipes.data._table_columns import (
    BINS,
    CategoricalColumn,
    NumericColumn,
    landmarks_of,
)

_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
_LARGEST = float(np.finfo("float32").max)
_IGNORE = "Or leave such columns out, by `ignore=[...]`."


def as_frame(argument: str, table: Any) -> pd.DataFrame:
    """Returns a DataFrame, dict of columns, or matrix of numbers as a DataFrame."""
    if isinstance(table, pd.DataFrame):
        frame = table
    elif isinstance(table, dict):
        frame = _from_columns(argument, table)
    else:
        frame = _from_matrix(argument, table)
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        fail(argument, "a table with rows and columns", f"shape {frame.shape}")
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"`{argument}` must have one column of each name. Received: {names.count(twice[0])} "
            f"columns named {twice[0]!r}. Rename or remove one."
        )
    return frame


def _from_columns(argument: str, table: dict[Any, Any]) -> pd.DataFrame:
    lengths = {name: len(column) for name, column in table.items() if hasattr(column, "__len__")}
    if len(lengths) < len(table) or len(set(lengths.values())) > 1:
        fail(argument, "a dict of equally long columns", lengths or table)
    index = range(next(iter(lengths.values()), 0))
    return pd.DataFrame({name: _plain_column(each) for name, each in table.items()}, index=index)


def _plain_column(column: Any) -> Any:
    """Returns a column without an index, by which pandas would align it."""
    if isinstance(column, pd.Series):
        return column.array
    known = isinstance(column, (np.ndarray, pd.api.extensions.ExtensionArray))
    return column if known else list(column)


def _from_matrix(argument: str, table: Any) -> pd.DataFrame:
    try:
        matrix = np.asarray(table)
    except ValueError:
        matrix = np.empty(0)
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
        expected = "a DataFrame, a dict of columns, or a matrix of numbers"
        fail(argument, expected, f"shape {matrix.shape}, dtype {matrix.dtype}")
    return pd.DataFrame(matrix)


def columns_of(
    frame: pd.DataFrame, categorical: Sequence[Any], ignore: Sequence[Any] | str
) -> tuple[list[NumericColumn | CategoricalColumn], list[str]]:
    """Returns the columns of a table, and the names of those left out."""
    named = {str(name): name for name in frame.columns}
    drop_constant = ignore == "constant"
    left_out = [] if drop_constant else _known("ignore", ignore, named)
    categories = _known("categorical", categorical, named)
    both = [name for name in categories if name in left_out]
    if both:
        raise InputError(f"`categorical` and `ignore` both name {both[0]!r}: take one out.")
    found: list[NumericColumn | CategoricalColumn] = []
    for name, key in named.items():
        if name in left_out:
            continue
        series = frame[key]
        if drop_constant and series.nunique(dropna=False) < 2:
            left_out.append(name)
            continue
        found.append(_column(name, series, name in categories))
    if not found:
        raise InputError(
            "`table` must have a column that varies. Received: all are ignored or constant."
        )
    return found, left_out


def _known(argument: str, names: Any, named: dict[str, Any]) -> list[str]:
    if names is None:
        return []
    if isinstance(names, str) or not isinstance(names, (list, tuple, set, frozenset, pd.Index)):
        fail(argument, "a list of column names", names)
    for name in map(str, names):
        if name not in named:
            hint = did_you_mean(name, named) or f"There are: {', '.join(list(named)[:30])}."
            fail(argument, "names of columns", name, hint)
    return [str(name) for name in names]


def kind_of(name: str, series: pd.Series) -> str:
    """Returns "number", "text" or "bool"; any other type of column is an `InputError`."""
    values = series.cat.categories if isinstance(series.dtype, pd.CategoricalDtype) else series
    if pd.api.types.is_bool_dtype(values.dtype):
        return "bool"
    if pd.api.types.is_complex_dtype(values.dtype):
        raise _unknown(name, series)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return "number"
    if pd.api.types.is_string_dtype(values.dtype) and values.dtype != object:
        return "text"
    if values.dtype != object:
        raise _unknown(name, series)
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred in _NUMBERS:
        return "number"
    found = {"string": "text", "boolean": "bool", "empty": "text"}.get(inferred)
    if found is None:
        raise _unknown(name, series)
    return found


def _unknown(name: str, series: pd.Series) -> InputError:
    known = series.dropna()
    example = "" if known.empty else f", such as {str(known.iloc[0])!r}"
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        remedy = (
            f"Make columns of it that mean something to a model, such as `df[{name!r}].dt.month`, "
            f"`.dt.dayofweek` or days since a date."
        )
    else:
        remedy = "Make it numbers, texts or truth values, each column one of these."
    return InputError(
        f"Column {name!r} must hold numbers, texts or truth values. Received: "
        f"{series.dtype}{example}. {remedy} {_IGNORE}"
    )


def _column(
    name: str, series: pd.Series, is_categorical: bool
) -> NumericColumn | CategoricalColumn:
    kind = kind_of(name, series)
    missing = int(series.isna().sum())
    if missing == len(series):
        raise InputError(f"Column {name!r} must hold a value. Received: all are missing. {_IGNORE}")
    is_dtype = isinstance(series.dtype, pd.CategoricalDtype)
    if kind != "number" or is_categorical or is_dtype:
        column = _categorical(name, series, kind, missing)
        is_constant = len(column.categories) < 2 and not missing
    else:
        column = _numeric(name, series, missing)
        is_constant = column.low == column.high and not missing
    if is_constant:
        value = column.describe()
        raise InputError(
            f"Column {name!r} must vary. Received: one value in all rows ({value}). {_IGNORE} "
            '`ignore="constant"` leaves out all of this kind.'
        )
    return column


def numbers(name: str, series: pd.Series) -> np.ndarray:
    """Returns the values as float64, NaN where they are missing; infinities are refused."""
    values = series.to_numpy(dtype="float64", na_value=np.nan)
    check_finite(name, values)
    return values


def check_finite(name: str, values: np.ndarray) -> None:
    """Refuses numbers that float32 cannot hold."""
    wrong = np.abs(values) > _LARGEST
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"Column {name!r} must hold finite numbers in the range of float32. Received: "
            f"{values[row]:g} in row {row} ({int(wrong.sum())} such row(s)). Put NaN where a value "
            "is missing, or rescale the column."
        )


def _numeric(name: str, series: pd.Series, missing: int) -> NumericColumn:
    values = numbers(name, series)
    known = values[~np.isnan(values)] if missing else values
    quantiles = np.quantile(known, np.linspace(0, 1, BINS + 1))
    return NumericColumn(name, _plain(quantiles), _plain(landmarks_of(known)), missing)


def _plain(values: np.ndarray) -> tuple[float, ...]:
    """Returns numbers with the digits that float32 needs, which are short to save."""
    return tuple(float(f"{value:.9g}") for value in values)


def _categorical(name: str, series: pd.Series, kind: str, missing: int) -> CategoricalColumn:
    counts = series.value_counts(dropna=True, sort=False)
    counts = counts[counts > 0]
    keys = list(counts.index)
    if kind == "number":
        keys = [int(k) if float(k).is_integer() else float(k) for k in keys]
    else:
        keys = [bool(k) if kind == "bool" else str(k) for k in keys]
    if isinstance(series.dtype, pd.CategoricalDtype) and kind != "number":
        order = range(len(keys))
    else:
        order = sorted(range(len(keys)), key=keys.__getitem__)
    values = [int(n) for n in counts.to_numpy()]
    return CategoricalColumn(
        name, tuple(keys[i] for i in order), tuple(values[i] for i in order), missing
    )
