"""The rows that the runs of a search train on and are judged by."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from kerasrecipes._arrays import as_arrays, count_rows, take
from kerasrecipes._checks import InputError, check_int, fail
from kerasrecipes.data.normalization import normalization
from kerasrecipes.data.split import split
from kerasrecipes.data.vectorization import vectorization
from kerasrecipes.targets.target import Target
from kerasrecipes.tuning._tables import joined, with_frame

Rows = tuple[Any, ...]
Preprocessing = Callable[[Any], keras.layers.Layer] | str | None


@dataclasses.dataclass(frozen=True, eq=False)
class Fold:
    """Rows to train on and rows to validate with, as a model without preprocessing takes them.

    Attributes:
        train: Inputs (an array, or of tables a DataFrame) and encoded labels, and weights of the
            rows if there are any.
        validation: The same.
    """

    train: Rows
    validation: Rows

    @property
    def rows(self) -> int:
        """Rows to train on."""
        return len(self.train[1])


def make_folds(
    data: Rows,
    target: Target,
    *,
    folds: int | None,
    validation: Any,
    preprocessing: Preprocessing,
    seed: int,
    table: bool = False,
) -> list[Fold]:
    """Returns the folds of a search.

    Args:
        data: Inputs and labels, and weights of the rows if there are any.
        target: What the labels are.
        folds: Number of folds for cross-validation, or None for one part of `validation`.
        validation: Share of the rows to validate with, or such rows themselves.
        preprocessing: Function from the rows to train on to a layer, "auto", or None.
        seed: Of the parts.
        table: Whether the inputs are a table with columns of all kinds. Defaults to False.
    """
    x, y, *weight = checked_rows("data", data, target, table=table)
    given = (x, y, *weight)
    if isinstance(validation, (tuple, list)):
        if folds is not None:
            fail("validation", "a share of the rows with `folds`", "rows of its own")
        pairs = [(given, checked_rows("validation", validation, target, table=table))]
    else:
        by_class = target.name in ("binary", "multiclass")
        parts = _parts(x, y, by_class, folds, validation, seed)
        pairs = [tuple(tuple(take(a, rows) for a in given) for rows in part) for part in parts]
    return [_fold(train, held_out, preprocessing) for train, held_out in pairs]


def all_rows(data: Rows, validation: Any, *, table: bool = False) -> Rows:
    """Returns the rows of the data, and those to validate with where they are rows of their own."""
    if not isinstance(validation, (tuple, list)):
        return data
    more = list(validation)[: len(data)]
    if len(more) < len(data):
        more.append(np.ones(len(more[1]), "float32"))
    if table:
        data, more = with_frame(data), with_frame(more)
        return (joined(data[0], more[0]), *map(_concatenated, data[1:], more[1:]))
    return tuple(map(_concatenated, data, more))


def _concatenated(first: Any, second: Any) -> np.ndarray:
    return np.concatenate([np.asarray(first), np.asarray(second)])


def checked_rows(argument: str, data: Any, target: Target, *, table: bool = False) -> Rows:
    """Returns inputs, encoded labels and weights as arrays; wrong ones are an `InputError`.

    A table becomes a DataFrame.
    """
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        fail(argument, "(x, y) or (x, y, sample_weight)", type(data).__name__)
    x = with_frame(data)[0] if table else as_arrays("x", data[0])
    if not (table or isinstance(x, np.ndarray)):
        fail("x", "one array, DataFrame of numbers or list of texts", type(data[0]).__name__)
    y = target.encode(data[1])
    weight = [np.asarray(w, "float32") for w in data[2:]]
    count_rows(x=x, y=y, **({"sample_weight": weight[0]} if weight else {}))
    return (x, y, *weight)


def _parts(
    x: Any, y: Any, by_class: bool, folds: int | None, validation: Any, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    if folds is None:
        parts = split(x, y, validation=validation, stratify=by_class, seed=seed)
        return [(np.sort(parts.train_rows), np.sort(parts.validation_rows))]
    folds = check_int("folds", folds, low=2)
    if folds > len(y):
        fail("folds", f"at most the {len(y)} rows", folds)
    kind = StratifiedKFold if by_class else KFold
    try:
        splitter = kind(folds, shuffle=True, random_state=seed)
        return list(splitter.split(np.zeros(len(y)), y if by_class else None))
    except ValueError as error:
        raise InputError(f"`folds` cannot be {folds}: {error}") from error


def _fold(train: Rows, held_out: Rows, preprocessing: Preprocessing) -> Fold:
    layer = fit_layer(train[0], preprocessing)
    if layer is None:
        return Fold(train, held_out)
    if preprocessing == "auto" and held_out[0].dtype.kind == "f":
        _check_finite(held_out[0])  # `normalization` has done so for the rows to train on
    return Fold(*((_applied(layer, part[0]), *part[1:]) for part in (train, held_out)))


def _check_finite(x: np.ndarray) -> None:
    bad = np.sum(~np.isfinite(x).reshape(len(x), -1).all(axis=1))
    if bad:
        raise InputError(
            f"`x` must be finite. Received: {bad} row(s) with NaN or infinity among those to "
            "validate with. Remove those rows, or fill in what is missing."
        )


def fit_layer(x: Any, preprocessing: Preprocessing) -> keras.layers.Layer | None:
    """Returns the layer that rows go through, with the statistics of these; None for none."""
    if preprocessing == "auto":
        return vectorization(x) if x.dtype.kind in "OUS" else normalization(x)
    if preprocessing is None or callable(preprocessing) and not isinstance(preprocessing, type):
        layer = None if preprocessing is None else preprocessing(x)
        if layer is None or isinstance(layer, keras.layers.Layer):
            return layer
    fail(
        "preprocessing",
        "'auto', None, or a function from the training rows to a layer",
        preprocessing,
        "Such as `kerasrecipes.data.normalization`.",
    )


def _applied(layer: keras.layers.Layer, x: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(layer(x))
