"""Are there units that give the same for every row?"""

from collections.abc import Iterator

import keras
import numpy as np

from kerasrecipes._find import LINEAR
from kerasrecipes.activations.facts import facts
from kerasrecipes.sanity._outcome import at_most, judged, listed, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity._trace import Call, activation_of
from kerasrecipes.sanity.report import Finding

FEW = 0.25
HALF = 0.5
LEAST_ROWS = 16


def dead_units(subject: Subject) -> Finding:
    """Few hidden units give the same number, such as the 0 of a ReLU, for every row."""
    if len(subject.probe_rows) < LEAST_ROWS:
        return skip("there are too few rows to tell")
    heads = {id(call) for call in subject.trace.before_outputs()}
    shares = {
        call.name: share
        for call in subject.trace.calls
        if id(call) not in heads and _is_activated(call)
        for share in _dead(call)
    }
    if not shares:
        return skip("there is no hidden activation")
    worst = max(shares, key=lambda name: shares[name])
    share = shares[worst]
    wrong = [f"{name} {value:.0%}" for name, value in shares.items() if value > FEW]
    return judged(
        "pass" if share <= FEW else "warn" if share <= HALF else "fail",
        "largest share of dead units in a layer",
        share,
        at_most(FEW),
        note=f"Units that give one number for all {len(subject.probe_rows)} rows: {listed(wrong)}."
        if wrong
        else "",
        remedy="Scale the inputs, choose the initializer by the activation, start biases at 0, or "
        "take a leaky activation or a normalisation.",
    )


def _is_activated(call: Call) -> bool:
    if isinstance(call.layer, LINEAR):
        return facts(call.layer.activation).name != "linear"
    activation = activation_of(call.layer)
    return activation is not None and facts(activation).name != "linear"


def _dead(call: Call) -> Iterator[float]:
    for output in call.outputs:
        if len(output.shape) < 2:
            continue
        values = keras.ops.convert_to_numpy(keras.ops.cast(output, "float32"))
        units = values.reshape(-1, values.shape[-1])
        yield float(np.mean(units.max(axis=0) == units.min(axis=0)))
