"""Are the labels what the loss and the output can reach?"""

import keras
import numpy as np

from kerasrecipes._arrays import leaves
from kerasrecipes.activations.facts import facts
from kerasrecipes.sanity._outcome import UnavailableError, exactly, judged, skip
from kerasrecipes.sanity._rows import Rows
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity._trace import activation_of
from kerasrecipes.sanity.report import Finding

_ANYTHING = -np.inf, np.inf
_RANGES = {
    **dict.fromkeys(("sigmoid", "hard_sigmoid", "softmax", "sparsemax"), (0.0, 1.0)),
    **dict.fromkeys(("tanh", "hard_tanh", "softsign"), (-1.0, 1.0)),
    **dict.fromkeys(("softplus", "relu", "exponential"), (0.0, np.inf)),
    "relu6": (0.0, 6.0),
}
_SLACK = 1e-6
_QUANTITY = "labels out of range"
_REMEDY = (
    "Number the classes from 0, give the output as many units as there are classes, and choose "
    "an output activation that reaches the labels."
)


def label_range(subject: Subject) -> Finding:
    """Labels are finite, and lie in the range of the loss and of the output."""
    if subject.train.y is None:
        return skip("there are no labels")
    parts = {"training": subject.train, "validation": subject.validation}
    counts, notes = 0, []
    for name, rows in parts.items():
        if rows is None or rows.y is None:
            continue
        count, note = _wrong(subject, rows)
        counts += count
        notes += [f"In the {name} rows: {note}"] * bool(count)
    status = "fail" if counts else "pass"
    return judged(status, _QUANTITY, counts, exactly(0), note=" ".join(notes), remedy=_REMEDY)


def _wrong(subject: Subject, rows: Rows) -> tuple[int, str]:
    if rows.wrong_labels:
        return 1, rows.wrong_labels
    arrays = [np.asarray(each) for each in leaves(rows.y)]
    gaps = sum(int(np.sum(~np.isfinite(a))) for a in arrays if a.dtype.kind == "f")
    if gaps:
        return gaps, f"{gaps} are NaN or infinite."
    low, high = _interval(subject)
    if len(arrays) != 1 or arrays[0].dtype.kind not in "biuf":
        return 0, ""
    y = arrays[0]
    outside = (y < low) | (y > high)
    if outside.any():
        worst = y[outside].reshape(-1)[0]
        return int(outside.sum()), f"{worst:g} is not in {low:g} to {high:g}."
    broken = y != np.round(y) if _is_numbers(subject, y) else np.zeros(1, bool)
    return int(broken.sum()), f"{y[broken].reshape(-1)[0]:g} is no class." if broken.any() else ""


def _is_numbers(subject: Subject, y: np.ndarray) -> bool:
    """Whether labels are numbers of classes, not a share for each class."""
    try:
        return subject.facts.kind == "categorical" and y.shape[-1:] != _shape(subject)[-1:]
    except UnavailableError:
        return False


def _shape(subject: Subject) -> tuple[int | None, ...]:
    """Returns the shape of the one output."""
    outputs = getattr(subject.model, "outputs", None)
    if outputs is None:
        return subject.outputs.shape
    if len(outputs) != 1:
        raise UnavailableError("the model has several outputs")
    return tuple(outputs[0].shape)


def _interval(subject: Subject) -> tuple[float, float]:
    """Returns the labels that can be learnt; all of them where that is not known."""
    try:
        loss, shape = subject.facts, _shape(subject)
    except UnavailableError:
        return _ANYTHING
    if loss.kind == "unknown":
        return _ANYTHING
    if loss.kind == "binary":
        return 0.0, 1.0
    if loss.kind == "categorical":
        units = shape[-1] or 1
        is_rows = subject.labels.ndim == len(shape) and subject.labels.shape[-1] == units > 1
        return (0.0, 1.0) if is_rows else (0.0, units - 1.0)
    return _reach(subject)


def _reach(subject: Subject) -> tuple[float, float]:
    """Returns the values that the output of a regression can reach."""
    try:
        calls = subject.trace.before_outputs()
    except UnavailableError:
        return _ANYTHING
    low, high = _ANYTHING
    for call in reversed(calls):
        if isinstance(call.layer, keras.layers.Rescaling):
            ends = [np.asarray(call.layer.scale) * e + call.layer.offset for e in (low, high)]
            low, high = float(np.min(ends)), float(np.max(ends))
            continue
        found = activation_of(call.layer) or getattr(call.layer, "activation", None)
        if found is not None:
            low, high = _RANGES.get(facts(found).name, (low, high))
    slack = _SLACK * max(abs(low), abs(high))
    return (low - slack, high + slack) if np.isfinite([low, high]).all() else (low, high)
