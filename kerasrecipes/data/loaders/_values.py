"""Checks of arrays that were read: finite inputs, labels of more than one value."""

from typing import Any

import numpy as np

from kerasrecipes._checks import InputError


def inputs(name: str, array: np.ndarray) -> np.ndarray:
    """Returns `array` as inputs: float32, uint8 images as they are, texts as object array."""
    check_rows(name, array)
    if array.dtype.kind == "U" and array.ndim == 1:
        return array.astype(object)
    if array.dtype.kind not in "biuf" or array.ndim < 2:
        raise InputError(
            f"Array {name!r} must hold numbers, one row per example, or texts of shape (n,). "
            f"Received: dtype {array.dtype}, shape {array.shape}."
        )
    if array.dtype == "uint8" and array.ndim > 2:
        return array
    check_finite(f"array {name!r}", array)
    return to_float32(f"array {name!r}", array)


def targets(name: str, array: np.ndarray) -> np.ndarray:
    """Returns `array` as raw labels after the checks."""
    check_rows(name, array)
    if array.dtype.kind not in "biufU":
        raise InputError(
            f"Labels {name!r} must be numbers or texts. Received: dtype {array.dtype}."
        )
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind == "f":
        check_finite(f"labels {name!r}", array)
    if array.dtype.kind == "U":
        array = array.astype(object)
    check_varied(name, array)
    return array


def check_rows(name: str, array: np.ndarray) -> None:
    """Refuses arrays without rows."""
    if array.ndim == 0 or len(array) == 0:
        raise InputError(f"Array {name!r} holds no rows: shape {array.shape}.")


def check_varied(name: str, labels: np.ndarray) -> None:
    """Refuses labels that are all the same."""
    if (labels == labels[:1]).all():
        raise InputError(
            f"Labels {name!r} hold a single value, {labels.reshape(-1).tolist()[0]!r}, in all "
            f"{len(labels)} rows: there is nothing to learn. Check the target's name, and that "
            "the file holds all classes."
        )


def check_finite(what: str, array: np.ndarray) -> None:
    """Refuses NaN and infinity, and says in which rows they are, counting from 1."""
    if array.dtype.kind != "f":
        return
    bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if bad.any():
        raise InputError(f"NaN or infinity in {what}: {row_list(bad)}. {MEND}")


MEND = "Fill the gaps in or remove those rows before training."


def row_list(bad: Any) -> str:
    """Returns "2 row(s): 3, 7", counting the first data row as 1."""
    rows = np.flatnonzero(bad) + 1
    shown = ", ".join(str(row) for row in rows[:10])
    more = ", ..." if len(rows) > 10 else ""
    return f"{len(rows)} row(s): {shown}{more} (the first row of data is 1)"


def to_float32(what: str, array: np.ndarray) -> np.ndarray:
    """Returns `array` as float32; refuses finite values that float32 cannot hold."""
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(array, "float32")
    bad = ~np.isfinite(narrow).reshape(len(narrow), -1).all(axis=1)
    if bad.any():
        raise InputError(
            f"Values beyond the float32 range (3.4e38) in {what}: {row_list(bad)}. Rescale them."
        )
    if merges_in_float32(array, narrow):
        raise InputError(
            f"Values in {what} differ by too little for their size: float32, which models compute "
            "in, cannot tell them apart. Subtract an offset first, such as the first value."
        )
    return narrow


def merges_in_float32(array: np.ndarray, narrow: np.ndarray) -> bool:
    """Returns whether float32 loses more than a tenth of a column's standard deviation."""
    if array.dtype.kind not in "iuf" or array.dtype.itemsize < 4:
        return False
    wide = np.asarray(array, "float64")
    lost = np.abs(wide - narrow).max(axis=0)
    return bool((lost > 0.1 * wide.std(axis=0)).any() and (lost > 0).any())
