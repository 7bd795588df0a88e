"""Are the classes of about the same size?"""

import numpy as np

from kerasrecipes.sanity._classes import counts, name_of
from kerasrecipes.sanity._outcome import at_most, judged, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding

MOST = 10.0


def class_balance(subject: Subject) -> Finding:
    """The largest class has not many times the rows of the smallest."""
    found = counts(subject, subject.train)
    if subject.train.weighted:
        return skip("the rows are weighted")
    table = found if found.ndim == 2 else found[None]
    table = np.where(table > 0, table, table.max(axis=-1, keepdims=True))  # see missing_classes
    ratios = table.max(axis=-1) / table.min(axis=-1)
    worst = int(ratios.argmax())
    ratio, sizes = float(ratios[worst]), table[worst]
    small = name_of(subject, worst if found.ndim == 2 else int(sizes.argmin()))
    return judged(
        "warn" if ratio > MOST else "pass",
        "rows of the largest class for each of the smallest",
        ratio,
        at_most(MOST),
        note=f"{small} has {sizes.min()} of {sizes.sum()} rows." if ratio > MOST else "",
        remedy="Judge by AUC or F1 and not by accuracy, split stratified, start the output's bias "
        "at the shares (`target.adapt(y)`), and consider `class_weight`.",
    )
