"""Does every trainable weight get a gradient?"""

import numpy as np

from kerasrecipes.sanity._outcome import exactly, judged, listed, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding


def trained_weights(subject: Subject) -> Finding:
    """Every trainable weight gets a gradient, at the start or after a few updates."""
    weights = subject.model.trainable_variables
    if not weights:
        return skip("the model has no trainable weights")
    largest = subject.trial.largest
    without, zero = [], []
    for weight, gradient, later in zip(weights, subject.step.gradients, largest, strict=True):
        if gradient is None:
            without.append(weight.path)
        elif not np.any(gradient) and later == 0:
            zero.append(weight.path)
    causes = [f"Not part of the loss: {listed(without)}."] if without else []
    causes += [f"A gradient of 0 throughout: {listed(zero)}."] if zero else []
    return judged(
        "fail" if without or zero else "pass",
        "trainable weights without a gradient",
        len(without) + len(zero),
        exactly(0),
        note=" ".join(causes),
        remedy="Use the layer's output, take rounding, argmax and NumPy out of the way of the "
        "gradient, or set `trainable=False`. Zeros also come of units that are all dead.",
    )
