"""From what users hold (lists, NumPy, pandas, tensors) to NumPy arrays, one row per example."""

from typing import Any

import keras
import numpy as np

from kerasrecipes._checks import InputError, fail


def is_pandas(value: Any) -> bool:
    """Whether `value` is a DataFrame or Series, without importing pandas."""
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "iloc")


def is_mixed_table(value: Any) -> bool:
    """Whether `value` is a DataFrame with columns that are no numbers of NumPy."""
    if not is_pandas(value) or value.ndim != 2:
        return False
    return any(getattr(dtype, "kind", "O") not in "biuf" for dtype in value.dtypes)


def as_columns(table: Any) -> dict[str, np.ndarray]:
    """Returns the columns of a DataFrame: floats, NaN where missing, or strings, "" there."""
    columns = {}
    for name, column in table.items():
        if getattr(column.dtype, "kind", "O") in "mMc":
            remedy = "Turn it into numbers first, such as the month and the day of the week."
            fail("x", "numbers or texts in all columns", f"{name!r} of {column.dtype}", remedy)
        is_number = getattr(column.dtype, "kind", "O") in "biuf"
        if is_number:
            columns[str(name)] = column.to_numpy(dtype="float64", na_value=np.nan)
        else:
            texts = column.astype(object).where(column.notna(), "")
            columns[str(name)] = np.array([str(each) for each in texts], object)
    return columns


def is_structure(value: Any) -> bool:
    """Whether `value` is a dict or tuple of arrays; a list is one array."""
    return isinstance(value, (dict, tuple))


def map_arrays(function: Any, argument: str, value: Any) -> Any:
    """Applies `function(argument, leaf)` to each array of a dict or tuple, or to the one array."""
    if isinstance(value, dict):
        return {
            key: map_arrays(function, f"{argument}[{key!r}]", each) for key, each in value.items()
        }
    if isinstance(value, tuple):
        return tuple(map_arrays(function, f"{argument}[{i}]", each) for i, each in enumerate(value))
    return function(argument, value)


def leaves(value: Any) -> list[Any]:
    """Returns the arrays of a dict or tuple in a fixed order; keys are sorted."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, tuple):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]


def as_array(argument: str, value: Any) -> np.ndarray:
    """Returns `value` as an array with at least one axis; float64 as Keras' default float.

    Texts become an object array of str. A DataFrame becomes a float matrix and must be numeric.
    """
    if is_pandas(value):
        value = _from_pandas(argument, value)
    elif not isinstance(value, np.ndarray):
        value = _from_other(argument, value)
    if value.ndim == 0:
        fail(argument, "an array with one row per example", value.item())
    if value.dtype.kind in "OUST":
        return _as_texts(argument, value)
    if value.dtype.kind not in "biuf":
        fail(argument, "an array of numbers or of texts", f"dtype {value.dtype}")
    return _as_floatx(argument, value) if value.dtype == "float64" else value


def as_arrays(argument: str, value: Any) -> Any:
    """As `as_array`, for each array of a dict or tuple."""
    return map_arrays(as_array, argument, value)


def count_rows(**arguments: Any) -> int:
    """Returns the number of rows that all arguments share; an `InputError` if they differ."""
    counts = {
        name: len(leaf)
        for argument, value in arguments.items()
        if value is not None
        for name, leaf in _named_leaves(argument, value)
    }
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"`{name}` has {count}" for name, count in counts.items())
        raise InputError(
            f"All arrays must have one row per example. Received: {listed}. Check how they were "
            "loaded or filtered: a row may have been dropped from only one of them."
        )
    rows = next(iter(counts.values()))
    if rows == 0:
        raise InputError(f"`{next(iter(arguments))}` must hold at least one row. Received: none.")
    return rows


def take(value: Any, rows: np.ndarray) -> Any:
    """Returns the given rows of each array, as the kind of object that came."""
    return map_arrays(lambda _, leaf: _take(leaf, rows), "", value)


def _take(leaf: Any, rows: np.ndarray) -> Any:
    if leaf is None:
        return None
    if is_pandas(leaf):
        return leaf.iloc[rows]
    if isinstance(leaf, list):
        return [leaf[row] for row in rows]
    return np.asarray(leaf)[rows]


def _named_leaves(argument: str, value: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    map_arrays(lambda name, leaf: found.append((name, leaf)), argument, value)
    for name, leaf in found:
        if not hasattr(leaf, "__len__") or isinstance(leaf, str):
            fail(name, "an array with one row per example", leaf)
    return found


def _from_pandas(argument: str, value: Any) -> np.ndarray:
    if value.ndim == 1:
        array = value.to_numpy()
        return np.asarray(array, "float64") if array.dtype.kind in "biuf" else np.asarray(array)
    wrong = [name for name, dtype in value.dtypes.items() if dtype.kind not in "biuf"]
    if wrong:
        raise InputError(
            f"`{argument}` must be a DataFrame of numbers. Received: column {wrong[0]!r} of type "
            f"{value.dtypes[wrong[0]]} ({len(wrong)} such column(s)). Drop it, or turn it into "
            "numbers first."
        )
    return value.to_numpy(dtype="float64", na_value=np.nan)


def _from_other(argument: str, value: Any) -> np.ndarray:
    if isinstance(value, (str, bytes)) or value is None:
        fail(argument, "an array with one row per example", value)
    try:
        if isinstance(value, list):
            return np.asarray(value)
        return keras.ops.convert_to_numpy(value)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"`{argument}` must be an array, or a list of equally long rows. Received: "
            f"{type(value).__name__} that NumPy cannot stack ({error})."
        ) from error


def _as_floatx(argument: str, value: np.ndarray) -> np.ndarray:
    floatx = keras.config.floatx()
    with np.errstate(over="raise"):
        try:
            return value.astype(floatx)
        except FloatingPointError:
            largest = np.abs(value[np.isfinite(value)]).max()
            fail(argument, f"within the range of {floatx}", float(largest), "Rescale it.")


def _as_texts(argument: str, value: np.ndarray) -> np.ndarray:
    flat = value.reshape(-1)
    for row, item in enumerate(flat):
        if not isinstance(item, str):
            fail(argument, "an array of numbers or of texts", f"{item!r} at position {row}")
    return value.astype(object)
