"""Do the initial kernels suit the activations?"""

import math
from typing import Any

import keras
import numpy as np

from kerasrecipes.activations.facts import facts
from kerasrecipes.sanity._outcome import judged, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity._trace import Call, fans
from kerasrecipes.sanity.report import Finding

NEAR = 0.65
TOO_SMALL = 0.01
TOO_LARGE = 10.0  # what grows from layer to layer does more harm
ERRORS = 4.0
LEAST_VALUES = 100
_LEFT_OUT = (
    keras.layers.EinsumDense,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
)


def initializer(subject: Subject) -> Finding:
    """The variance of each hidden kernel is the one that its activation asks for.

    Kernels before a normalisation, which takes their scale away, are left out.
    """
    if not subject.is_new:
        return skip("the model has been trained")
    ratios, tolerances, wanted = {}, {}, {}
    for call in subject.trace.hidden():
        activation = subject.trace.activation_after(call)
        values = _values(call)
        if activation is None or values is None or not _is_stock(activation):
            continue
        path = call.layer.kernel.path
        ratios[path] = max(float(values.var()) / _variance(call.layer, activation), 1e-30)
        tolerances[path] = ERRORS * math.sqrt(2 / values.size)
        wanted[path] = facts(activation)
    if not ratios:
        return skip("no hidden kernel goes straight to an activation")
    found = {path: _within_error(ratios[path], tolerances[path]) for path in ratios}
    worst = max(found, key=lambda path: abs(math.log(found[path])))
    ratio, activation = found[worst], wanted[worst]
    good = NEAR <= ratio <= 1 / NEAR
    grave = any(each < TOO_SMALL or each > TOO_LARGE for each in found.values())
    return judged(
        "pass" if good else "fail" if grave else "warn",
        "variance of a kernel, as a multiple of what its activation asks for",
        ratios[worst],
        (NEAR / (1 + tolerances[worst]), (1 + tolerances[worst]) / NEAR),
        note="" if good else f"{worst} has {ratios[worst]:.3g} times that for {activation.name}.",
        remedy=f"Use the {activation.initializer} initializer: "
        f"`kerasrecipes.initializers.for_activation({activation.name!r})`.",
    )


def _is_stock(activation: Any) -> bool:
    """Whether it is known what an activation asks for."""
    home = getattr(activation, "__module__", type(activation).__module__)
    return str(home).partition(".")[0] in ("keras", "kerasrecipes")


def _values(call: Call) -> np.ndarray | None:
    if isinstance(call.layer, _LEFT_OUT):
        return None
    values = np.asarray(keras.ops.convert_to_numpy(call.layer.kernel), "float64")
    return values if values.size >= LEAST_VALUES else None


def _variance(layer: Any, activation: Any) -> float:
    """Returns the variance that the activation asks for."""
    inputs, outputs = fans(layer)
    found = facts(activation)
    if isinstance(layer.kernel_initializer, keras.initializers.Orthogonal):
        return found.gain / max(inputs, layer.kernel.shape[-1])
    if found.initializer == "glorot":
        return 2 / (inputs + outputs)
    return found.gain / inputs


def _within_error(ratio: float, tolerance: float) -> float:
    """Returns a ratio, moved towards 1 by as much as a kernel of its size varies."""
    return max(ratio / (1 + tolerance), 1.0) if ratio > 1 else min(ratio * (1 + tolerance), 1.0)
