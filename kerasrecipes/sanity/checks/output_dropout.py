"""Is the output dropped?"""

from kerasrecipes.sanity._outcome import exactly, judged, listed
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity._trace import DROPPING
from kerasrecipes.sanity.report import Finding


def output_dropout(subject: Subject) -> Finding:
    """No dropout comes after the last layer with weights."""
    found = [
        call.name
        for call in subject.trace.before_outputs()
        if isinstance(call.layer, DROPPING) and call.layer.rate > 0
    ]
    return judged(
        "fail" if found else "pass",
        "dropout layers on the output",
        len(found),
        exactly(0),
        note=f"{listed(found)} sets outputs to 0 in training." if found else "",
        remedy="Move it before the output layer.",
    )
