"""Does the gradient vanish or explode on its way through the layers?"""

import math
from typing import Any

import keras
import numpy as np

from kerasrecipes.sanity._outcome import judged, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity._trace import Call
from kerasrecipes.sanity.report import Finding

FAR = 1e-3
TOO_FAR = 1e-5


def gradient_flow(subject: Subject) -> Finding:
    """The gradient has about the same size in every layer."""
    sizes = _sizes(subject)
    if len(sizes) < 2:
        return skip("there are fewer than two layers with a gradient")
    last = list(sizes)[-1]
    ratios = {name: size / sizes[last] for name, size in sizes.items()}
    worst = max(ratios, key=lambda name: abs(math.log(ratios[name])))
    ratio = ratios[worst]
    away = min(ratio, 1 / ratio)
    what = "vanishes" if ratio < 1 else "explodes"
    return judged(
        "pass" if away >= FAR else "warn" if away >= TOO_FAR else "fail",
        "gradient of a layer, as a multiple of the last one's",
        ratio,
        (FAR, 1 / FAR),
        note=f"The gradient {what} on the way back: at {worst} it is {ratio:.2g} times that at "
        f"{last}."
        if away < FAR
        else f"The farthest is {worst}.",
        remedy="Take ReLU or one of its kind in place of sigmoid or tanh, the initializer that "
        "goes with it, a normalisation, residual connections"
        + (", and clip the gradient." if ratio > 1 else "."),
    )


def _sizes(subject: Subject) -> dict[str, float]:
    """Returns the gradient by each layer's outputs, as far as that by its kernel tells.

    The gradient by a kernel is the sum of input times gradient by output. Divided by the root
    mean square of the inputs it does not depend on their scale.
    """
    paths = [weight.path for weight in subject.model.trainable_variables]
    found = {}
    for call in subject.trace.calls:
        kernel: Any = getattr(call.layer, "kernel", None)
        if not isinstance(kernel, keras.Variable) or kernel.path in found:
            continue
        path = kernel.path
        gradient = subject.step.gradients[paths.index(path)] if path in paths else None
        if gradient is None or not np.any(gradient) or not np.isfinite(gradient).all():
            continue
        found[path] = _rms(gradient) / _input_size(call)
    return found


def _input_size(call: Call) -> float:
    inputs = keras.ops.convert_to_numpy(keras.ops.cast(call.inputs[0], "float32"))
    return max(_rms(inputs), 1e-12)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype="float64"))))
