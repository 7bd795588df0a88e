"""Are the inputs on one scale?"""

from typing import Any

import keras
import numpy as np

from kerasrecipes._arrays import leaves
from kerasrecipes._find import LINEAR
from kerasrecipes.sanity._outcome import UnavailableError, judged, listed, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity._trace import Call
from kerasrecipes.sanity.report import Finding

LARGE = 5.0
HUGE = 100.0
SMALL = 1e-3


def feature_scale(subject: Subject) -> Finding:
    """What the first layers with weights see is centred and of one scale.

    What counts is what comes out of the layers without weights, such as a normalisation. The size
    of a feature is its root mean square.
    """
    sizes = _sizes(subject)
    if not len(sizes):
        return skip("no dense, convolutional or recurrent layer sees the inputs")
    largest = int(np.argmax(sizes))
    worst = sizes[largest] if sizes[largest] > LARGE else sizes[sizes > 0].max(initial=0.0)
    low = worst < SMALL
    status = "pass" if SMALL <= worst <= LARGE else "fail" if low or worst > HUGE else "warn"
    names = _names(subject, len(sizes))
    large = [names[i] for i in np.argsort(-sizes) if sizes[i] > LARGE]
    return judged(
        status,
        "largest root mean square of a feature that the network sees",
        worst,
        (SMALL, LARGE),
        note=f"All features are below {SMALL:g}."
        if low
        else f"Too large: {listed(large)}."
        if large
        else "",
        remedy="Put `kerasrecipes.data.normalization(x)` first in the model (`preprocessing` of "
        "a recipe), with statistics of the training rows.",
    )


def _names(subject: Subject, count: int) -> list[str]:
    """Returns the names of the columns, where each is a feature that the network sees."""
    try:
        names = subject.train.features()[1]
    except UnavailableError:
        names = []
    return names if len(names) == count else [f"feature {index}" for index in range(count)]


def _sizes(subject: Subject) -> np.ndarray:
    """Returns the root mean square of each feature of what the first linear layers see."""
    inputs = leaves(subject.probe[0])
    raw = {id(each) for each in inputs}
    values = [_numpy(each) for each in inputs if "float" in str(each.dtype)]
    found = []
    for call in subject.trace.calls:
        if not all(id(each) in raw or _is_one_of(each, values) for each in call.inputs):
            continue
        if isinstance(call.layer, (*LINEAR, keras.layers.RNN)):
            found.append(_of_call(call))
        elif not call.layer.trainable_weights:
            raw |= {id(each) for each in call.outputs}
            values += [_numpy(each) for each in call.outputs if "float" in str(each.dtype)]
    return np.concatenate(found) if found else np.zeros(0)


def _of_call(call: Call) -> np.ndarray:
    values = _numpy(call.inputs[0])
    features = values.reshape(-1, values.shape[-1])
    return np.sqrt(np.square(features).mean(axis=0))


def _is_one_of(tensor: Any, values: list[np.ndarray]) -> bool:
    """Whether a tensor holds the numbers of one of the arrays, in whatever dtype."""
    same = [each for each in values if each.shape == tuple(tensor.shape)]
    return bool(same) and any(np.allclose(_numpy(tensor), each, 1e-3) for each in same)


def _numpy(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")), "float64")
