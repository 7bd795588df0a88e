"""Input scaling as a layer inside the model."""

from typing import Any

import keras
import numpy as np

from kerasrecipes._arrays import as_array, is_pandas
from kerasrecipes._checks import InputError, check_choice, fail
from kerasrecipes._export import export

SCALINGS = ("standard", "minmax", "robust", "rescale")
CHUNK_VALUES = 1 << 19
# Outside these, the variance or its floor in `keras.layers.Normalization` would be off.
NORMAL_SCALE = (1e-6, 1e18)
SMALLEST_SCALE = 1e-36


@export("data", saved=False)
def normalization(x: Any, *, scaling: str = "standard", axis: int | None = -1) -> keras.Layer:
    """Returns a layer that brings the inputs to one scale, with statistics of the training rows.

    Put it first in the model, so that the saved model takes raw rows and validation data never
    reach the statistics. With one pair (shift, scale) for each index along `axis`:

        y = (x - shift) / scale
        standard:  shift = mean,    scale = standard deviation (of the population)
        minmax:    shift = minimum, scale = maximum - minimum: y in [0, 1] on the training rows
        robust:    shift = median,  scale = third - first quartile: outliers do not count
        rescale:   shift = 0,       scale = 255: images of bytes to [0, 1], nothing is measured

    A column whose scale is 0 keeps its unit (scale 1): a constant becomes 0 (standard, minmax,
    robust), and another value its distance from the constant.

    Statistics are taken in float64 of the values in float32, the ones that the layer will see.
    The layer computes in float32 whatever the dtype policy, since raw values overflow float16.
    What is lost is the rounding of x and shift to float32: at most `eps * |x| / scale` with
    eps = 1.2e-7, which is 0.12 for values about 1e6 with a deviation of 1. Subtract an offset in
    float64 beforehand where that matters.

    Args:
        x: Training rows, as an array or DataFrame: floats, integers or booleans, of shape
            (n, ...). Only the rows of the training split.
        scaling: "standard", "minmax", "robust" or "rescale". Defaults to "standard".
        axis: The axis with statistics of its own for each index: -1 for columns of a table and
            for channels of images. None takes one pair for all values. Defaults to -1.

    Returns: A built `keras.layers.Normalization`; a `keras.layers.Rescaling` for "rescale", and
        for scales below 1e-6 or above 1e18, where `Normalization` would stop at its epsilon.

    Raises: InputError for NaN or infinite values (which columns), texts, an `axis` that x has
        not, or "rescale" for values outside 0 to 255 or fractions already within 0 to 1.

    Example:
    >>> layer = normalization([[1.0, 5.0], [3.0, 5.0]])
    >>> layer(np.array([[1.0, 5.0], [5.0, 6.0]])).numpy().tolist()
    [[-1.0, 0.0], [3.0, 1.0]]
    """
    check_choice("scaling", scaling, SCALINGS)
    names = [str(name) for name in x.columns] if is_pandas(x) and x.ndim == 2 else None
    x = as_array("x", x)
    if x.dtype.kind not in "biuf" or x.ndim < 2 or x.size == 0:
        fail("x", "numbers of shape (n, ...) with n > 0", f"dtype {x.dtype}, shape {x.shape}")
    if scaling == "rescale":
        return _rescaling(x)
    columns = _as_columns(x, axis)
    shift, scale = _statistics(columns, scaling, names)
    if scale.min() < NORMAL_SCALE[0] or scale.max() > NORMAL_SCALE[1]:
        return _affine(shift, scale, axis, x.ndim)
    if axis is None:
        shift, scale = shift[0], scale[0]
    layer = keras.layers.Normalization(
        axis=axis, mean=shift, variance=np.square(scale), dtype="float32"
    )
    # Built inside `fit` its statistics would belong to a graph that is gone a moment later.
    layer.build((None, *x.shape[1:]))
    return layer


def _affine(shift: np.ndarray, scale: np.ndarray, axis: int | None, ndim: int) -> keras.Layer:
    """Returns y = x / scale - shift / scale for scales that `Normalization` cannot hold."""
    if scale.min() < SMALLEST_SCALE:
        column = int(scale.argmin())
        fail("x", f"in units that give a scale >= {SMALLEST_SCALE}", f"{scale.min()} in {column}")
    after = 0 if axis is None else ndim - 1 - axis % ndim
    shape = (-1, *[1] * after)
    factor, offset = (each.reshape(shape).tolist() for each in (1 / scale, -shift / scale))
    return keras.layers.Rescaling(factor, offset, dtype="float32")


def _as_columns(x: np.ndarray, axis: int | None) -> np.ndarray:
    """Returns x as a matrix with a column for each index along `axis`."""
    if axis is None:
        return x.reshape(-1, 1)
    if isinstance(axis, bool) or not isinstance(axis, int) or not -x.ndim < axis < x.ndim:
        fail("axis", f"None or an axis of x other than 0, from {1 - x.ndim} to -1", axis)
    if axis % x.ndim == 0:
        fail("axis", "None or another axis than 0, which counts the rows", axis)
    moved = np.moveaxis(x, axis, -1)
    return moved.reshape(-1, moved.shape[-1])


def _statistics(
    columns: np.ndarray, scaling: str, names: list[str] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns float64 shift and scale for each column."""
    low, high, total = _extremes_and_total(columns, names)
    if scaling == "minmax":
        shift, scale = low, high - low
    elif scaling == "robust":
        first, shift, third = np.percentile(columns.astype("float32"), [25, 50, 75], axis=0)
        scale = third.astype("float64") - first.astype("float64")
    else:
        shift = total / len(columns)
        scale = _deviation(columns, shift)
    scale = np.where((low == high) | (scale == 0), 1.0, scale)
    shift = np.where(low == high, low, shift)
    return shift.astype("float64"), scale


def _chunks(columns: np.ndarray) -> Any:
    """Yields float64 copies of the float32 values, some rows at a time."""
    step = max(1, CHUNK_VALUES // columns.shape[1])
    for start in range(0, len(columns), step):
        with np.errstate(over="ignore"):
            yield columns[start : start + step].astype("float32").astype("float64")


def _extremes_and_total(columns: np.ndarray, names: list[str] | None) -> tuple[np.ndarray, ...]:
    low = np.full(columns.shape[1], np.inf)
    high, total = -low, np.zeros_like(low)
    for part in _chunks(columns):
        low, high = np.minimum(low, part.min(axis=0)), np.maximum(high, part.max(axis=0))
        total += part.sum(axis=0)
    bad = np.flatnonzero(~np.isfinite(total))
    if len(bad):
        shown = ", ".join(repr(names[i]) if names else str(i) for i in bad[:10])
        raise InputError(
            f"`x` must be finite in float32. Received: NaN or infinity in {len(bad)} column(s): "
            f"{shown}. Fill the gaps in or remove those rows."
        )
    return low, high, total


def _deviation(columns: np.ndarray, mean: np.ndarray) -> np.ndarray:
    total = sum((np.square(part - mean).sum(axis=0) for part in _chunks(columns)), start=0.0)
    return np.sqrt(total / len(columns))


def _rescaling(x: np.ndarray) -> keras.Layer:
    low, high = float(x.min()), float(x.max())
    if not (low >= 0 and high <= 255):
        fail("x", "within 0 to 255 for scaling='rescale'", f"values from {low:g} to {high:g}")
    if x.dtype.kind == "f" and high <= 1:
        remedy = "They are rescaled already: leave the layer out."
        fail("x", "bytes for scaling='rescale'", f"values from {low:g} to {high:g}", remedy)
    return keras.layers.Rescaling(1 / 255, dtype="float32")
