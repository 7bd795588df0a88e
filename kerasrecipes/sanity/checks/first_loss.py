"""Is the first loss that of a random guess?"""

import math

import keras
import numpy as np

from kerasrecipes.sanity._guess import guess
from kerasrecipes.sanity._loss import as_rows
from kerasrecipes.sanity._outcome import judged, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding

ERRORS = 4.0
KNOWING = 0.5
# Glorot's head makes outputs of a variance up to 2 before the softmax, which costs up to a nat
# more than a constant guess, and as much again by chance.
EXCESS = 2.0
DEVIATIONS = 4.0
WIDEST = 1.5
GROSS = 3.0


def first_loss(subject: Subject) -> Finding:
    """The loss of the untrained model is that of a guess that does not look at the inputs.

    What it may be more: four standard errors, and what random weights cost. For classes that is
    2 (1 - 1 / C) nats. For values it is what it costs to be off by four standard deviations of
    the model's own outputs (six of the labels if that is less), or the guess once more.
    """
    if not subject.is_new:
        return skip("the model has been trained")
    step = subject.step
    found = guess(subject, subject.probe[1])
    if found is None:
        return skip("the loss of a guess is not known for this loss or output")
    low, high = found
    tolerance = ERRORS * step.error + _excess(subject, high)
    interval = low - KNOWING * abs(low), high + tolerance
    return judged(
        _status(step.whole, interval, tolerance),
        "loss of the untrained model",
        step.whole,
        interval,
        note=_note(step.whole, found, step.error),
        remedy=_remedy(subject, step.whole, interval),
    )


def _excess(subject: Subject, of_guess: float) -> float:
    """Returns how much more than a guess random weights may cost."""
    facts, y = subject.facts, subject.probe[1]
    if facts.kind != "values":
        classes = 2 if facts.kind == "binary" else subject.outputs.shape[-1]
        return EXCESS * (1 - 1 / classes)
    values = as_rows(y)
    spread = np.minimum(subject.outputs.std(axis=0), WIDEST * values.std(axis=0))
    off = np.broadcast_to(values.mean(axis=0) + DEVIATIONS * spread, subject.outputs.shape)
    outputs = keras.ops.convert_to_tensor(off.astype("float32"))
    return max(subject.data_loss(None, y, outputs) - of_guess, abs(of_guess))


def _status(seen: float, interval: tuple[float, float], tolerance: float) -> str:
    if not math.isfinite(seen):
        return "fail"
    if seen < interval[0]:
        return "warn"
    if seen <= interval[1]:
        return "pass"
    return "fail" if seen > interval[1] + GROSS * tolerance else "warn"


def _note(seen: float, found: tuple[float, float], error: float) -> str:
    low, high = found
    between = f"{high:.4g}" if np.isclose(low, high) else f"{low:.4g} to {high:.4g}"
    return (
        f"The first loss is {seen:.4g} with a standard error of {error:.2g}; a guess that does "
        f"not look at the inputs has {between}."
    )


def _remedy(subject: Subject, seen: float, interval: tuple[float, float]) -> str:
    if seen < interval[0]:
        return (
            "The model knows the labels before it was trained: it is trained already, or an input "
            "holds the target."
        )
    if subject.facts.kind == "values":
        return (
            "Standardise the labels, or give the target their statistics "
            "(`kerasrecipes.targets.Regression().adapt(y)`), and scale the inputs."
        )
    return (
        "Scale the inputs, choose the initializer by the activation, look for a loss that is "
        "summed over the rows, and start the output's bias at the class shares."
    )
