"""Do units of a layer start equal, and stay so?"""

from typing import Any

import keras
import numpy as np

from kerasrecipes.sanity._outcome import exactly, judged, listed, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding


def symmetry(subject: Subject) -> Finding:
    """No two units of a hidden layer, and no two layers, have the same weights."""
    if not subject.is_new:
        return skip("the model has been trained")
    layers = [call.layer for call in subject.trace.hidden()]
    layers = [each for each in layers if each.kernel.shape[-1] > 1 and each.kernel.trainable]
    if not layers:
        return skip("there is no hidden layer")
    kernels = [_values(each.kernel) for each in layers]
    names = [each.kernel.path for each in layers]
    equal = [name for name, kernel in zip(names, kernels, strict=True) if _has_twins(kernel)]
    stay = [name for name in equal if _has_twins(_after(subject, name))]
    copies = [
        f"{names[i]} = {names[j]}"
        for i in range(len(kernels))
        for j in range(i)
        if names[i] not in equal and np.array_equal(kernels[i], kernels[j])
    ]
    zero = [name for name, k in zip(names, kernels, strict=True) if not k.any()]
    equal = [name for name in equal if name in stay or name not in zero]
    return judged(
        "fail" if stay else "warn" if equal or copies else "pass",
        "kernels with equal units, or equal to another",
        len(equal) + len(copies),
        exactly(0),
        note=_note(equal, stay, copies),
        remedy="Give each kernel a random initializer with a seed of its own: a Keras initializer "
        "with an integer seed draws the same numbers for every layer "
        "(`kerasrecipes.initializers.redraw`).",
    )


def _values(kernel: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(kernel))


def _has_twins(kernel: np.ndarray) -> bool:
    columns = kernel.reshape(-1, kernel.shape[-1]).T
    return len(np.unique(columns, axis=0)) < len(columns)


def _after(subject: Subject, path: str) -> np.ndarray:
    """Returns a kernel as it is at the end of the trial."""
    paths = [weight.path for weight in subject.model.trainable_variables]
    return subject.trial.weights[paths.index(path)]


def _note(equal: list[str], stay: list[str], copies: list[str]) -> str:
    parts = []
    if equal:
        end = "and stay so in training" if stay else "and differ only once they are trained"
        parts.append(f"Units start equal in {listed(equal)}, {end}.")
    if copies:
        parts.append(f"Equal layers: {listed(copies)}.")
    return " ".join(parts)
