"""Are the gradients of layers and losses of one's own right?"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from kerasrecipes import _keras_internals
from kerasrecipes._find import find
from kerasrecipes.sanity import _loss
from kerasrecipes.sanity._gradients import value_and_slopes
from kerasrecipes.sanity._outcome import UnavailableError, at_most, judged, skip
from kerasrecipes.sanity._quiet import unregularized, unsynchronized
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity._trace import Trace, trace
from kerasrecipes.sanity.report import Finding

CLOSE = {"float64": 1e-4, "float32": 3e-2}
_EPSILON = {"float64": 1e-6, "float32": 1e-2}
_DIRECTIONS = 5
_ROWS = 4
_STOCK = ("keras", "tensorflow", "kerasrecipes", "keras_hub")


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What a gradient and finite differences came to.

    Attributes:
        name: Of the layer or loss.
        error: Their relative difference, the median over several directions.
        dtype: What was computed in.
    """

    name: str
    error: float
    dtype: str

    @property
    def off(self) -> float:
        """The error as a multiple of what the dtype allows."""
        return self.error / CLOSE[self.dtype]


def numeric_gradients(subject: Subject) -> Finding:
    """The gradients of layers and losses of one's own equal finite differences, in float64."""
    model = subject.model
    layers = [each for each in find(model, keras.layers.Layer) if _is_own(each)]
    with subject.state.kept(), unsynchronized(model), _keras_internals.strategy_scope(model):
        found = _of_layers(subject, layers) + _of_loss(subject)
    found = [each for each in found if each is not None]
    if not found:
        return skip("the model has no layer or loss of its own that can be compared")
    worst = max(found, key=lambda each: each.off if not math.isnan(each.off) else math.inf)
    limit = CLOSE[worst.dtype]
    return judged(
        "pass" if worst.error <= limit else "fail",
        f"relative error of a gradient in {worst.dtype}",
        worst.error,
        at_most(limit),
        note=f"The worst of {len(found)} is {worst.name}.",
        remedy="Mend its `custom_gradient`, or whatever in it has no gradient: rounding, argmax, "
        "stop_gradient, NumPy.",
    )


def _is_own(layer: Any) -> bool:
    home = type(layer).__module__.partition(".")[0]
    return home not in _STOCK and not isinstance(layer, keras.Model)


def _of_layers(subject: Subject, layers: list[Any]) -> list[Comparison | None]:
    if not layers:
        return []
    x = keras.tree.map_structure(lambda each: each[:_ROWS], subject.probe[0])
    with unregularized(subject.model):
        traced = _trace_of(subject, layers, x)
        calls = {id(call.layer): call for call in reversed(traced.calls)}
        return [compare_layer(c.layer, c.given) for c in calls.values()]


def _trace_of(subject: Subject, layers: list[Any], x: Any) -> Trace:
    return trace(subject.model, lambda: subject.call(x, training=False), layers)


def compare_layer(layer: Any, inputs: Sequence[Any]) -> Comparison | None:
    """Compares the gradients of a layer by its inputs and its weights; None if it has none.

    A copy computes in float64 where the layer can be made again from its config and then gives
    the same; else the layer itself in float32, where finite differences are coarse.
    """
    arrays = [np.asarray(keras.ops.convert_to_numpy(e)) for e in keras.tree.flatten(inputs)]
    copy, dtype = _wide(layer, inputs, arrays), "float64"
    if copy is None:
        copy, dtype = layer, "float32"
    weights = [w for w in copy.trainable_variables if "float" in str(w.dtype)]
    floats = [i for i, each in enumerate(arrays) if each.dtype.kind == "f"]

    def outputs(*values: Any) -> Any:
        given: list[Any] = [keras.ops.convert_to_tensor(each) for each in arrays]
        for place, value in zip(floats, values, strict=False):
            given[place] = value
        pairs = list(zip(weights, values[len(floats) :], strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return _call(copy, inputs, given)

    points = [arrays[i].astype(dtype) for i in floats]
    points += [np.asarray(keras.ops.convert_to_numpy(w), dtype) for w in weights]
    return _compare(layer.name, outputs, points, dtype)


def _call(layer: Any, structure: Sequence[Any], tensors: list[Any]) -> Any:
    found = layer(*keras.tree.pack_sequence_as(tuple(structure), tensors))
    return [each for each in keras.tree.flatten(found) if "float" in str(each.dtype)]


def _wide(layer: Any, inputs: Sequence[Any], arrays: list[np.ndarray]) -> Any:
    """Returns a copy in float64 that gives what the layer gives; None if there is none."""
    if keras.backend.backend() == "jax":
        return None
    try:
        before = _call(layer, inputs, [keras.ops.convert_to_tensor(each) for each in arrays])
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy("float64")
        try:
            config = {**layer.get_config(), "dtype": "float64"}
            copy = type(layer).from_config(config)
            given = [_widened(each) for each in arrays]
            _call(copy, inputs, given)
            copy.set_weights([np.asarray(w, "float64") for w in layer.get_weights()])
            after = _call(copy, inputs, given)
        finally:
            keras.config.set_dtype_policy(policy)
        same = all(
            np.allclose(keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b), 1e-3, 1e-4)
            for a, b in zip(before, after, strict=True)
        )
        is_wide = all("float64" in str(each.dtype) for each in after)
    except Exception:  # a layer that cannot be made again in whatever way
        return None
    return copy if same and is_wide else None


def _widened(array: np.ndarray) -> Any:
    wide = array.astype("float64") if array.dtype.kind == "f" else array
    return keras.ops.convert_to_tensor(wide)


def _of_loss(subject: Subject) -> list[Comparison | None]:
    try:
        loss = _loss.the_loss(subject.model)
        outputs = subject.outputs[:_ROWS]
    except UnavailableError:
        return []
    if not _loss.is_custom(loss):
        return []
    labels = subject.labels[subject.probe_rows][:_ROWS]
    return [compare_loss(loss, labels, outputs)]


def compare_loss(loss: Any, labels: np.ndarray, outputs: np.ndarray) -> Comparison | None:
    """Compares the gradient of a loss by the outputs; None if it has none."""
    dtype = "float32" if keras.backend.backend() == "jax" else "float64"
    function = loss.call if isinstance(loss, keras.losses.Loss) else loss
    if labels.ndim < outputs.ndim and outputs.shape[-1] == 1:
        labels = labels[..., None]

    def values(y_pred: Any) -> Any:
        y_true = labels.astype(dtype) if labels.dtype.kind == "f" else labels
        return [function(keras.ops.convert_to_tensor(y_true), y_pred)]

    name = getattr(loss, "name", None) or getattr(loss, "__name__", type(loss).__name__)
    return _compare(name, values, [outputs.astype(dtype)], dtype)


def _compare(
    name: str, function: Callable[..., Any], points: list[np.ndarray], dtype: str
) -> Comparison | None:
    """Compares directional derivatives of a random sum of what a function returns.

    Returns None where there is nothing to differentiate by, or chance is in it.
    """
    if not points:
        return None
    generator = np.random.default_rng(0)
    shapes = [tuple(each.shape) for each in function(*map(_tensor, points))]
    factors = [generator.normal(size=shape).astype(dtype) for shape in shapes]

    def scalar(*values: Any) -> Any:
        pairs = zip(function(*values), factors, strict=True)
        return sum(keras.ops.sum(keras.ops.cast(a, dtype) * _tensor(b)) for a, b in pairs)

    value, slopes = value_and_slopes(scalar, [_tensor(each) for each in points])
    if value != float(keras.ops.convert_to_numpy(scalar(*map(_tensor, points)))):
        return None
    errors = [_error(scalar, points, slopes, generator, dtype) for _ in range(_DIRECTIONS)]
    return Comparison(name, float(np.median(errors)), dtype)


def _tensor(array: np.ndarray) -> Any:
    return keras.ops.convert_to_tensor(array)


def _error(
    scalar: Any, points: list[np.ndarray], slopes: list[Any], generator: Any, dtype: str
) -> float:
    """Returns the relative error along a random direction, of the point that is worst."""
    worst = 0.0
    for index, point in enumerate(points):
        direction = generator.normal(size=point.shape).astype(dtype)
        length = _EPSILON[dtype] * max(1.0, float(np.abs(point).mean()) if point.size else 1.0)
        ends = []
        for sign in (1, -1):
            moved = list(points)
            moved[index] = point + sign * length * direction
            value = scalar(*map(_tensor, moved))
            ends.append(float(keras.ops.convert_to_numpy(value)))
        measured = (ends[0] - ends[1]) / (2 * length)
        slope = 0.0 if slopes[index] is None else float((slopes[index] * direction).sum())
        size = max(abs(measured), abs(slope))
        noise = np.finfo(dtype).eps * max(map(abs, ends)) / length
        if size > 10 * noise:
            worst = max(worst, abs(measured - slope) / size)
    return worst
