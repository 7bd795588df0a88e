"""Raw labels to arrays: values for regression, class numbers for classification."""

from typing import Any

import numpy as np

from kerasrecipes._checks import InputError, did_you_mean


def values(y: Any, units: int) -> np.ndarray:
    """Returns float32 values of shape (n,) for one unit, else (n, units)."""
    array = np.asarray(y)
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"`y` must hold numbers for a regression target. Received: dtype {array.dtype}, "
            f"such as {array.reshape(-1)[0]!r}. Use a classification target for names."
            if array.size
            else "`y` must hold numbers. Received: an empty array."
        )
    if units == 1 and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    expected = (len(array),) if units == 1 else (len(array), units)
    if array.ndim == 0 or array.shape != expected or len(array) == 0:
        raise InputError(
            f"`y` must have one row per example and {units} value(s) in each. "
            f"Received: shape {array.shape}."
        )
    check_finite(array)
    narrow, wide = array.astype("float32"), array.astype("float64")
    spread, lost = wide.std(axis=0), np.abs(wide - narrow).max(axis=0)
    if np.any((spread > 0) & (lost > 0.01 * spread)):
        raise InputError(
            f"`y` must vary by more than float32 can lose. Received: values around {wide.mean():g} "
            f"with a standard deviation of {spread.min():g}. Subtract an offset first."
        )
    return narrow


def check_finite(array: np.ndarray) -> None:
    """Refuses NaN and infinity among labels."""
    bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
    if len(bad):
        raise InputError(
            f"`y` must be finite. Received: {len(bad)} row(s) with NaN or infinity, the first "
            f"at row {bad[0]}. Remove those rows, or fill in their labels."
        )


def check_present(labels: np.ndarray) -> None:
    """Refuses missing labels among names: None and NaN of every kind, and empty texts."""
    missing = [
        row
        for row, label in enumerate(labels)
        if label is None or label != label or not str(label).strip()
    ]
    if missing:
        raise InputError(
            f"`y` must have a label in every row. Received: {len(missing)} row(s) without one, "
            f"the first at row {missing[0]}. Remove those rows, or fill in their labels."
        )


def check_range(array: np.ndarray, low: float, high: float, target: str) -> None:
    """Refuses labels outside [low, high]."""
    outside = np.flatnonzero(((array < low) | (array > high)).reshape(len(array), -1).any(axis=1))
    if len(outside):
        row = outside[0]
        raise InputError(
            f"`y` must lie in [{low:g}, {high:g}] for {target}. Received: {array[row]} at row "
            f"{row} ({len(outside)} row(s) in all). Use `Regression`, or mend the labels."
        )


def class_numbers(y: np.ndarray, count: int, names: tuple[str, ...] | None) -> np.ndarray:
    """Returns class numbers 0 to count - 1 as int32, from numbers or from names."""
    if y.dtype.kind in "OUS":
        return _numbers_of_names(y, count, names)
    if y.dtype.kind == "f":
        check_finite(y)
    if y.dtype.kind not in "biuf" or (y.astype("int64") != y).any():
        raise InputError(
            f"`y` must hold whole class numbers from 0 to {count - 1}. Received: dtype "
            f"{y.dtype}. Use `Regression` for measured values."
        )
    outside = np.flatnonzero((y < 0) | (y >= count))
    if len(outside):
        row = outside[0]
        raise InputError(
            f"`y` must hold class numbers from 0 to {count - 1}. Received: {y[row]} at row {row} "
            f"({len(outside)} row(s) in all). Number the classes from 0, or give the target "
            "more classes."
        )
    return y.astype("int32")


def _numbers_of_names(y: np.ndarray, count: int, names: tuple[str, ...] | None) -> np.ndarray:
    if names is None:
        raise InputError(
            f"`y` holds names such as {str(y[0])!r}, but the target knows only the number of its "
            f"classes, {count}. Give the target the names in order: `classes=[...]`."
        )
    check_present(y)
    number = {name: index for index, name in enumerate(names)}
    unknown = [row for row, name in enumerate(y) if str(name) not in number]
    if unknown:
        name = str(y[unknown[0]])
        raise InputError(
            f"`y` must hold the classes {', '.join(names)}. Received: {name!r} at row "
            f"{unknown[0]} ({len(unknown)} row(s) in all). {did_you_mean(name, names)}".strip()
        )
    return np.array([number[str(name)] for name in y], "int32")


def entropy(probabilities: np.ndarray) -> float:
    """Returns -sum p log p in nats over the last axis, averaged over the others."""
    p = np.asarray(probabilities, "float64")
    logs = np.log(np.where(p > 0, p, 1.0))
    return float(-(p * logs).sum(axis=-1).mean())
