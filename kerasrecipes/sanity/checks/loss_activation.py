"""Do the loss and the output's activation go together?"""

from typing import Any

import numpy as np

from kerasrecipes._find import LINEAR
from kerasrecipes.activations.facts import facts
from kerasrecipes.sanity._loss import LossFacts, one_hot
from kerasrecipes.sanity._outcome import exactly, judged, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity._trace import activation_of
from kerasrecipes.sanity.report import Finding

_SUM = 1e-3
_SOFTMAX = {"softmax", "sparsemax"}
_SIGMOID = {"sigmoid", "hard_sigmoid", "sparse_sigmoid"}
_CUT = {"relu", "relu6", "threshold"}


def loss_activation(subject: Subject) -> Finding:
    """The loss takes what the output's activation gives: probabilities or logits.

    The outputs themselves tell, for any model; the name of the activation, where it is known,
    tells what few outputs may hide.
    """
    loss, outputs = subject.facts, subject.outputs
    if loss.kind == "unknown":
        return skip("the loss is neither a cross-entropy nor one of values")
    if outputs.ndim < 2:
        return skip("the outputs are one number for each row")
    name = _activation(subject)
    wrong = _wrong(loss, outputs, name, subject)
    return judged(
        "fail" if wrong else "pass",
        "mismatches of loss and output",
        len(wrong),
        exactly(0),
        note=" ".join(wrong),
        remedy="Pair softmax with categorical cross-entropy, sigmoid with binary cross-entropy, "
        "and outputs without activation with `from_logits=True` or with regression losses.",
    )


def _activation(subject: Subject) -> str | None:
    """Returns the name of the last activation; None if it is not known."""
    for call in subject.trace.before_outputs():
        found = activation_of(call.layer)
        if isinstance(call.layer, LINEAR):
            found = getattr(call.layer, "activation", None)
            return facts(found).name if found is not None else "linear"
        if found is not None and facts(found).name != "linear":
            return facts(found).name
    return None


def _wrong(loss: LossFacts, outputs: np.ndarray, name: str | None, subject: Subject) -> list[str]:
    units = outputs.shape[-1]
    in_range = bool(((outputs >= 0) & (outputs <= 1)).all())
    sums_to_one = in_range and bool(np.abs(outputs.sum(axis=-1) - 1).max() < _SUM)
    found = []
    if name in _SOFTMAX and units == 1:
        found.append("Softmax of one unit is always 1.")
    rules: dict[str, Any] = {"categorical": _categorical, "binary": _binary, "values": _values}
    found += rules[loss.kind](loss, name, in_range, sums_to_one, units)
    if loss.kind == "binary" and sums_to_one and units > 1 and _is_one_of(subject, units):
        found.append("Binary cross-entropy with softmax: the classes exclude one another.")
    return found


def _categorical(
    loss: LossFacts, name: str | None, in_range: bool, sums_to_one: bool, units: int
) -> list[str]:
    if loss.from_logits:
        if (name in _SOFTMAX or sums_to_one) and units > 1:
            return [f"Softmax with `from_logits=True` of {loss.name}: it is applied twice."]
        if name in _SIGMOID:
            return [f"Sigmoid with `from_logits=True` of {loss.name}, which takes logits."]
        return []
    if units == 1:
        return [f"{loss.name} with one output unit: there is nothing to choose from."]
    if name in _SIGMOID or (name is None and in_range and not sums_to_one):
        return [f"Sigmoid with {loss.name}: the outputs of a row do not sum to 1."]
    if sums_to_one:
        return []
    return [f"Outputs of {name or 'a row'} with {loss.name} are no probabilities that sum to 1."]


def _binary(
    loss: LossFacts, name: str | None, in_range: bool, sums_to_one: bool, units: int
) -> list[str]:
    if loss.from_logits:
        if name in _SIGMOID | _SOFTMAX:
            return [f"{name} with `from_logits=True` of {loss.name}: it is applied twice."]
        if name is None and in_range:
            return [f"Outputs in [0, 1] with `from_logits=True` of {loss.name}, as of a sigmoid."]
        return []
    if not in_range:
        return [f"Outputs outside [0, 1] with {loss.name}: the sigmoid is missing."]
    if name is None or name in _SIGMOID | _SOFTMAX:
        return []
    return [f"{name} with {loss.name}: the sigmoid is missing."]


def _values(
    loss: LossFacts, name: str | None, in_range: bool, sums_to_one: bool, units: int
) -> list[str]:
    if name in _SOFTMAX and units > 1:
        return [f"Softmax with {loss.name}, a loss of values."]
    if name in _CUT:
        return [f"{name} on the output with {loss.name}: it has no gradient where it is 0."]
    return []


def _is_one_of(subject: Subject, units: int) -> bool:
    """Whether each row's labels are one class of several."""
    labels = one_hot(subject.labels, units)
    return bool((labels.sum(axis=-1) == 1).all())
