"""Is there a bias that batch normalisation takes away again?"""

from typing import Any

import keras

from kerasrecipes.sanity._outcome import exactly, judged, listed, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding


def bias_before_norm(subject: Subject) -> Finding:
    """Layers that a batch normalisation follows have no bias."""
    found, normalised = [], 0
    for call in subject.trace.linear():
        following = subject.trace.after(call)
        norm: Any = None if following is None else following.layer
        if not isinstance(norm, keras.layers.BatchNormalization) or not norm.center:
            continue
        normalised += 1
        if getattr(call.layer, "use_bias", False) and _is_linear(call.layer):
            found.append(call.name)
    if not normalised:
        return skip("no batch normalisation follows a linear layer")
    return judged(
        "warn" if found else "pass",
        "biases that batch normalisation takes away",
        len(found),
        exactly(0),
        note=f"{listed(found)}: the mean that is subtracted holds the bias." if found else "",
        remedy="Set `use_bias=False`: beta of the normalisation does its work.",
    )


def _is_linear(layer: keras.layers.Layer) -> bool:
    return getattr(layer, "activation", None) in (None, keras.activations.linear)
