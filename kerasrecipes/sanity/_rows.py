"""The rows that the checks look at, from whatever `fit` takes."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np

from kerasrecipes._arrays import (
    as_array,
    as_arrays,
    as_columns,
    count_rows,
    is_mixed_table,
    is_pandas,
    is_structure,
    leaves,
    map_arrays,
    take,
)
from kerasrecipes._checks import InputError, fail
from kerasrecipes.sanity._outcome import UnavailableError


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """Inputs and labels of some rows.

    Attributes:
        x: Inputs as the model takes them: an array, or a dict or tuple of these.
        y: Labels as the loss takes them, or as they came if they are wrong; None if there are none.
        raw: Inputs as they came.
        count: Rows.
        weighted: Whether the rows come with weights.
        wrong_labels: What the target refuses in the labels; empty if nothing.
    """

    x: Any
    y: Any
    raw: Any
    count: int
    weighted: bool = False
    wrong_labels: str = ""

    def features(self) -> tuple[np.ndarray, list[str]]:
        """Returns the columns of a table as float64, texts as numbers, and their names.

        Raises:
            UnavailableError: If the inputs are no table: texts, images, sequences.
        """
        columns = list(_columns(self.raw))
        if not columns:
            raise UnavailableError("the inputs are no table of numbers")
        return np.stack([values for _, values in columns], axis=1), [name for name, _ in columns]

    def taken(self, rows: np.ndarray) -> tuple[Any, Any]:
        """Returns inputs and labels of some of the rows."""
        return take(self.x, rows), None if self.y is None else take(self.y, rows)

    def digests(self) -> list[bytes]:
        """Returns something that is equal for rows with equal inputs only."""
        parts = [_bytes_of_rows(leaf) for leaf in leaves(self.x)]
        return [b"".join(row) for row in zip(*parts, strict=True)]


def rows_of(argument: str, data: Any, model: keras.Model, most: int, seed: int) -> Rows:
    """Returns at most so many rows of what `fit` takes: of arrays at random, else the first."""
    x, y, weights = _parts(argument, data, most)
    raw = x = _arrays(f"{argument}[0]", x, len(getattr(model, "inputs", None) or [x]))
    y = None if y is None else as_arrays(f"{argument}[1]", y)
    count = count_rows(x=x, y=y)
    if count > most:
        chosen = np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
        raw, y, count = take(raw, chosen), None if y is None else take(y, chosen), most
    x = _encoded(model, raw)
    y, wrong = _labels(model, y)
    return Rows(x, y, raw, count, weights is not None, wrong)


def _parts(argument: str, data: Any, most: int) -> tuple[Any, Any, Any]:
    if getattr(data, "inputs", None) is not None and hasattr(data, "over"):  # a `Batches`
        return data.inputs, data.labels, True if _has_weights(data) else None
    if isinstance(data, tuple) and 1 <= len(data) <= 3:
        return data + (None,) * (3 - len(data))  # type: ignore[return-value]
    if isinstance(data, keras.utils.PyDataset):
        return _read((data[index] for index in range(len(data))), most)
    if hasattr(data, "element_spec"):
        return _read_dataset(data, most)
    remedy = "Give what `fit` takes: (x, y), `kerasrecipes.data.batches(x, y)`, or a dataset."
    fail(argument, "a tuple (x, y), batches or a dataset", data, remedy)


def _read_dataset(data: Any, most: int) -> tuple[Any, Any, Any]:
    """Reads a dataset; a `Batches` is at the same epoch after it."""
    before = getattr(data, "epoch", None)
    try:
        return _read(data, most)
    finally:
        if before is not None:
            data.epoch = before


def _has_weights(data: Any) -> bool:
    return isinstance(data.element_spec, tuple) and len(data.element_spec) == 3


def _read(batches: Iterable[Any], most: int) -> tuple[Any, Any, Any]:
    """Reads whole batches until there are enough rows."""
    found: list[tuple[Any, ...]] = []
    count = 0
    for batch in batches:
        batch = batch if isinstance(batch, tuple) else (batch,)
        batch = keras.tree.map_structure(_of_tensor, batch)
        found.append(batch)
        count += len(keras.tree.flatten(batch)[0])
        if count >= most:
            break
    if not found:
        raise InputError("`data` must hold at least one batch. Received: none.")
    joined = keras.tree.map_structure(lambda *parts: np.concatenate(parts), *found)
    return joined + (None,) * (3 - len(joined))


def _of_tensor(value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind == "O":
        texts = [t.decode() if isinstance(t, bytes) else t for t in array.reshape(-1)]
        return np.array(texts, object).reshape(array.shape)
    return array


def _arrays(argument: str, x: Any, inputs: int) -> Any:
    if is_pandas(x) and x.ndim == 2:
        return x
    if isinstance(x, list) and len(x) == inputs > 1:
        x = tuple(x)  # one array for each input
    return as_arrays(argument, x)


def _encoded(model: keras.Model, raw: Any) -> Any:
    """Returns rows as the layers take them: those of `recipes.tabular` encode tables."""
    encode = getattr(model, "encode", None)
    if encode is not None and not _is_encoded(model, raw):
        return encode(raw)
    if is_mixed_table(raw):
        return {name: as_array(name, column) for name, column in as_columns(raw).items()}
    return as_array("data[0]", raw) if is_pandas(raw) else raw


def _is_encoded(model: keras.Model, raw: Any) -> bool:
    names = {each.name for each in model.inputs}
    return isinstance(raw, dict) and set(raw) == names


def _labels(model: keras.Model, y: Any) -> tuple[Any, str]:
    """Returns labels as the loss takes them, and what is wrong with them."""
    has_loss_of_target = getattr(model, "has_loss_of_target", lambda: False)
    if y is None or is_structure(y) or not has_loss_of_target():
        return y, ""
    try:
        return model.target.encode(y), ""
    except InputError as error:
        return y, str(error)


def _columns(raw: Any) -> Iterator[tuple[str, np.ndarray]]:
    if is_pandas(raw):
        for name, values in as_columns(raw).items():
            yield name, _numbers(values)
        return
    found: list[tuple[str, Any]] = []
    map_arrays(lambda name, leaf: found.append((name, leaf)), "", raw)
    for name, leaf in found:
        leaf = np.asarray(leaf)
        if leaf.dtype.kind not in "biuf" or leaf.ndim > 2:
            continue
        matrix = leaf.reshape(len(leaf), -1).astype("float64")
        for index, values in enumerate(matrix.T):
            yield f"{name}[{index}]" if name else f"column {index}", values


def _numbers(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "biuf":
        return values.astype("float64")
    return np.unique(values.astype(str), return_inverse=True)[1].astype("float64")


def _bytes_of_rows(leaf: Any) -> list[bytes]:
    array = np.asarray(leaf)
    if array.dtype.kind in "OUS":
        return [repr(row.tolist()).encode() for row in array.reshape(len(array), -1)]
    if array.dtype.kind == "f":
        array = array + 0.0  # -0.0 and 0.0 are the same input
    rows = np.ascontiguousarray(array.reshape(len(array), -1))
    return [row.tobytes() for row in rows]
