"""Are validation rows among the training rows?"""

import collections
import math

from kerasrecipes.sanity._outcome import at_most, judged, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding

GRAVE = 0.05
ERRORS = 3.0


def shared_rows(subject: Subject) -> Finding:
    """No more validation rows have a twin in training than rows of training have there.

    Rows may be equal by chance, above all those of few or coarse features. How often is told by
    the training rows, of which one pair more is allowed for.
    """
    if subject.validation is None:
        return skip("there are no validation rows")
    train = collections.Counter(subject.train.digests())
    rows = subject.validation.digests()
    shared = [index for index, row in enumerate(rows) if row in train]
    twins = sum(count for count in train.values() if count > 1) / subject.train.count
    by_chance = twins * len(rows)
    most = math.floor(1 + by_chance + ERRORS * math.sqrt(by_chance))
    wrong = len(shared) > most
    grave = len(shared) - most > GRAVE * len(rows)
    return judged(
        "fail" if wrong and grave else "warn" if wrong else "pass",
        "validation rows with a twin in training",
        len(shared),
        at_most(most),
        note=f"{len(shared)} of {len(rows)} validation rows, row {shared[0]} first; {twins:.1%} of "
        "the training rows have a twin among themselves."
        if wrong
        else "",
        remedy="Split before rows are copied or augmented, keep the rows of one source together "
        "(`groups` of `kerasrecipes.data.split`), or drop duplicates first.",
    )
