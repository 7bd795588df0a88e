"""Is there a validation set?"""

import math

from kerasrecipes.sanity._outcome import judged
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding

LEAST = 10


def validation_set(subject: Subject) -> Finding:
    """There is a validation set of its own, and it is not tiny."""
    count = 0 if subject.validation is None else subject.validation.count
    return judged(
        "pass" if count >= LEAST else "warn",
        "validation rows",
        count,
        (LEAST, math.inf),
        note="" if count else "Nothing tells when the model overfits.",
        remedy="Split rows off (`kerasrecipes.data.split`), and give them as `validation_data` "
        "here and to `fit`.",
    )
