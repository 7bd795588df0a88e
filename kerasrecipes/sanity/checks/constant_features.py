"""Are there features that never vary?"""

import numpy as np

from kerasrecipes.sanity._outcome import exactly, judged, listed
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding


def constant_features(subject: Subject) -> Finding:
    """Every feature varies.

    Where at least half of the features have the same least value, as pixels and counts have, one
    that is always there is background and does not count.
    """
    features, names = subject.train.features()
    with np.errstate(invalid="ignore"):
        lows, highs = np.nanmin(features, axis=0), np.nanmax(features, axis=0)
    constant = ~(highs > lows)
    varying = lows[~constant]
    background = np.array([len(varying) and np.mean(varying == low) >= 0.5 for low in lows], bool)
    found = [name for name, wrong in zip(names, constant & ~background, strict=True) if wrong]
    return judged(
        "warn" if found else "pass",
        "features that never vary",
        len(found),
        exactly(0),
        note=f"{listed(found)}." if found else "",
        remedy="Leave them out, or look why they are constant in the training rows.",
    )
