"""From the rows of a table to the arrays that a model takes."""

from typing import Any

import numpy as np
import pandas as pd

from kerasrecipes._checks import InputError, did_you_mean, fail
from kerasrecipes.data._table.inference import check_finite, kind_of, numbers
from kerasrecipes.data._table_columns import CategoricalColumn, NumericColumn


def pick(frame: pd.DataFrame, names: tuple[str, ...], total: int) -> dict[str, Any]:
    """Returns the columns of a frame by the names of the schema.

    Columns without names, such as those of a matrix, count from 0.
    """
    named = {str(key): key for key in frame.columns}
    missing = [name for name in names if name not in named]
    if isinstance(frame.columns, pd.RangeIndex) and (missing or len(named) != total):
        fail("table", f"{total} columns, as in training", f"{len(named)} columns without names")
    if missing:
        hint = did_you_mean(missing[0], named) or f"There are: {', '.join(list(named)[:30])}."
        shown = ", ".join(map(repr, missing[:10]))
        raise InputError(
            f"`table` must have the columns of the training. Missing: {shown} "
            f"({len(missing)} column(s)). {hint}"
        )
    return {name: named[name] for name in names}


def encode_numbers(frame: pd.DataFrame, columns: tuple[NumericColumn, ...], keys: Any) -> Any:
    """Returns float32 (rows, columns), NaN where a value is missing."""
    wanted = [keys[column.name] for column in columns]
    part = frame[wanted]
    if all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in part.dtypes):
        block = part.to_numpy(dtype="float64")
        if (np.abs(block) > np.finfo("float32").max).any():
            for i, column in enumerate(columns):
                check_finite(column.name, block[:, i])
        return block.astype("float32")
    block = np.empty((len(frame), len(columns)), "float32")
    for i, column in enumerate(columns):
        block[:, i] = _as_numbers(column.name, frame[keys[column.name]])
    return block


def _as_numbers(name: str, series: pd.Series) -> np.ndarray:
    if kind_of(name, series) == "text" and not series.isna().all():
        raise _other_kind(name, "numbers", series)
    return numbers(name, series)


def _other_kind(name: str, expected: str, series: pd.Series) -> InputError:
    known = series.dropna()
    return InputError(
        f"Column {name!r} must hold {expected}, as in training. Received: {series.dtype}, such as "
        f"{str(known.iloc[0])!r}."
    )


def encode_categories(
    frame: pd.DataFrame, columns: tuple[CategoricalColumn, ...], keys: Any
) -> np.ndarray:
    """Returns int32 (rows, columns): i + 1 for category i, 0 for what is missing or unknown."""
    block = np.empty((len(frame), len(columns)), "int32")
    for i, column in enumerate(columns):
        block[:, i] = _codes(column, frame[keys[column.name]])
    return block


def _codes(column: CategoricalColumn, series: pd.Series) -> np.ndarray:
    if isinstance(series.dtype, pd.CategoricalDtype):
        of_category = _codes(column, pd.Series(series.cat.categories))
        return np.append(of_category, 0)[series.cat.codes.to_numpy()]
    kind = kind_of(column.name, series)
    if kind != column.holds and not series.isna().all():
        like_numbers = {"bool", "number"}
        if not {kind, column.holds} <= like_numbers:
            expected = {"text": "texts", "bool": "truth values"}.get(column.holds, "numbers")
            raise _other_kind(column.name, expected, series)
    codes, found = pd.factorize(series)
    if column.holds == "text":
        known, found = pd.Index(column.categories, dtype=object), np.asarray(found, object)
    else:
        known, found = pd.Index(np.asarray(column.categories, "float64")), np.asarray(found, float)
    return np.append(known.get_indexer(pd.Index(found)) + 1, 0)[codes]
