"""From a DataFrame to features, texts and labels, for the loaders of tables."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kerasrecipes._checks import InputError, check_choice, did_you_mean
from kerasrecipes._fingerprint import fingerprint
from kerasrecipes.data.examples import Examples
from kerasrecipes.data.loaders import _options, _values

MISSING = ("", "NA", "N/A", "NaN", "nan", "na", "n/a", "null", "NULL", "None", "none", "?", "-")


class Columns(NamedTuple):
    """Which columns a [data] table asks for."""

    target: str | None
    features: list[str] | None
    drop: list[str]
    text: str | None
    mixed: bool = False


def check_options(target: Any, features: Any, drop: Any, text: Any, mixed: Any = False) -> Columns:
    """Returns the columns asked for; options that contradict each other are refused."""
    columns = Columns(
        None if target is None else _options.text("target", target),
        None if features is None else _options.texts("features", features),
        [] if drop is None else _options.texts("drop", drop),
        None if text is None else _options.text("text", text),
        check_choice("data.mixed", mixed, (True, False)),
    )
    if columns.features is not None and not columns.features:
        raise InputError("`data.features` must name at least one column. Received: [].")
    if columns.features and columns.text:
        raise InputError("Give `data.features` or `data.text`, not both: x is one or the other.")
    for option, names in (("features", columns.features or []), ("drop", columns.drop)):
        if columns.target in names:
            raise InputError(
                f"`data.{option}` must not name the target {columns.target!r}: "
                "the model would be given the answer, or none."
            )
    both = [name for name in columns.features or [] if name in columns.drop]
    if both:
        raise InputError(f"`data.features` and `data.drop` both name {both[0]!r}: take one out.")
    if columns.text is not None and columns.mixed:
        raise InputError("Give `data.text` or `data.mixed`, not both: x is texts or a table.")
    if columns.text is not None and columns.text == columns.target:
        raise InputError(f"`data.text` and `data.target` both name {columns.text!r}.")
    return columns


def check_header(file: Path, names: list[str]) -> None:
    """Refuses columns without a name, and two of one name."""
    for position, name in enumerate(names, start=1):
        if not name.strip():
            raise InputError(
                f"Column {position} of {file} has no name. pandas writes its row numbers so: "
                "write the file with `index=False`, or give the column a name."
            )
    twice = list(dict.fromkeys(name for name in names if names.count(name) > 1))
    if twice:
        raise InputError(
            f"{file} has {names.count(twice[0])} columns named {twice[0]!r}: rename or remove one."
        )


def examples(frame: pd.DataFrame, columns: Columns, source: str) -> Examples:
    """Returns features or texts and labels of a table; `source` names it in errors."""
    if frame.empty:
        raise InputError(f"{source} holds no rows of data.")
    _check_known(frame, columns)
    y = None if columns.target is None else _labels(columns.target, frame[columns.target])
    if columns.text is not None:
        x, names = _texts(columns.text, frame[columns.text]), None
    else:
        names = tuple(columns.features or _other_columns(frame, columns))
        x = frame[list(names)] if columns.mixed else _matrix(frame, names)
    return Examples(x, y, names, source, fingerprint(x, y))


def _check_known(frame: pd.DataFrame, columns: Columns) -> None:
    known = [str(name) for name in frame.columns]
    asked = [("target", columns.target), ("text", columns.text)]
    asked += [("features", name) for name in columns.features or []]
    asked += [("drop", name) for name in columns.drop]
    for option, name in asked:
        if name is not None and name not in known:
            shown = ", ".join(repr(each) for each in known[:30])
            more = f", ... ({len(known)} in all)" if len(known) > 30 else ""
            hint = did_you_mean(name, known)
            if len(known) == 1:
                hint = "There is only one column: is `separator` right?"
            message = (
                f"`data.{option}` must name a column: {shown}{more}. Received: {name!r}. {hint}"
            )
            raise InputError(message.strip())


def _other_columns(frame: pd.DataFrame, columns: Columns) -> list[str]:
    left = [name for name in frame.columns if name not in (columns.target, *columns.drop)]
    if not left:
        raise InputError("No column is left as a feature: all are target or dropped.")
    return left


def _matrix(frame: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    matrix = np.empty((len(frame), len(names)), "float32")
    wrong = [name for name in names if not _is_numeric(frame[name])]
    if wrong:
        raise _not_numeric(frame, wrong)
    for i, name in enumerate(names):
        matrix[:, i] = _numbers(name, frame[name])
    return matrix


def _is_numeric(column: pd.Series) -> bool:
    return column.dtype.kind in "biuf" or bool(column.isna().all())


def _not_numeric(frame: pd.DataFrame, wrong: list[str]) -> InputError:
    column = frame[wrong[0]]
    numbers = pd.to_numeric(column, errors="coerce") if column.dtype.kind in "OUT" else None
    bad = column.notna() if numbers is None else column.notna() & numbers.isna()
    row = int(np.flatnonzero(bad.to_numpy())[0]) if bad.any() else 0
    others = f" So do: {', '.join(repr(name) for name in wrong[1:10])}." if wrong[1:] else ""
    kind = "dates" if column.dtype.kind in "Mm" else "text"
    return InputError(
        f"Feature column {wrong[0]!r} holds {kind}, such as {str(column.iloc[row])!r} in row "
        f"{row + 1} (the first row of data is 1).{others} Name it in `data.drop`, turn it into "
        f"numbers, or use it as the only input with `data.text` = {wrong[0]!r}."
    )


def _numbers(name: str, column: pd.Series) -> np.ndarray:
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    _check_gaps(f"column {name!r}", values)
    return _values.to_float32(f"column {name!r}", values)


def _check_gaps(what: str, values: np.ndarray) -> None:
    gaps, infinite = np.isnan(values), np.isinf(values)
    if gaps.any():
        raise InputError(
            f"Missing values (NaN) in {what}: {_values.row_list(gaps)}. {_values.MEND}"
        )
    if infinite.any():
        raise InputError(f"Infinite values in {what}: {_values.row_list(infinite)}. {_values.MEND}")


def _texts(name: str, column: pd.Series) -> np.ndarray:
    if column.dtype.kind in "biufMm":
        raise InputError(
            f"`data.text` must name a column of texts. Received: {name!r}, which holds "
            f"{column.dtype}, such as {column.iloc[0]!r}."
        )
    bad = column.isna().to_numpy() | (column.astype(str).str.strip() == "").to_numpy()
    if bad.any():
        raise InputError(
            f"Missing texts in column {name!r}: {_values.row_list(bad)}. {_values.MEND}"
        )
    return np.array([str(each) for each in column], dtype=object)


def _labels(name: str, column: pd.Series) -> np.ndarray:
    bad = column.isna()
    if not _is_numeric(column):
        bad = bad | _tokens_among_numbers(column)
    if bad.any():
        raise InputError(
            f"Missing labels in target column {name!r}: {_values.row_list(bad)}. Remove those "
            "rows, or fill in their labels."
        )
    if column.dtype.kind in "Mm":
        raise InputError(
            f"Target column {name!r} holds dates ({column.dtype}). Turn it into numbers or names."
        )
    if column.dtype.kind in "biuf":
        labels = column.to_numpy(dtype=getattr(column.dtype, "numpy_dtype", None))
        _check_gaps(f"target column {name!r}", labels.astype("float64"))
    else:
        labels = np.array([str(each) for each in column], dtype=object)
    _values.check_varied(name, labels)
    return labels


def _tokens_among_numbers(column: pd.Series) -> pd.Series:
    """Where a column of numbers says NA or the like; nowhere if it holds names."""
    tokens = column.astype(str).str.strip().isin(MISSING)
    rest = pd.to_numeric(column[~tokens], errors="coerce")
    return tokens if len(rest) and bool(rest.notna().all()) else tokens & False
