"""Are there features that say the same?"""

import numpy as np

from kerasrecipes.sanity._outcome import exactly, judged, listed
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding

SAME = 1 - 1e-8
_LEAST_VARIED = 10
_ROWS = 2000


def duplicate_features(subject: Subject) -> Finding:
    """No feature is another one, up to an offset and a factor: their correlation is not 1 or -1.

    Features that are the same in all but a few rows are left out, since chance makes them equal.
    """
    features, names = subject.train.features()
    rows = np.random.default_rng(0).permutation(len(features))[:_ROWS]
    features = features[rows]
    varied = [i for i, values in enumerate(features.T) if _varies(values)]
    standard = features[:, varied] - features[:, varied].mean(axis=0)
    standard /= np.sqrt(np.square(standard).sum(axis=0))
    alike = np.triu(np.abs(standard.T @ standard) > SAME, k=1)
    found = [f"{names[varied[i]]} = {names[varied[j]]}" for i, j in np.argwhere(alike)]
    extra = int(alike.any(axis=0).sum())
    return judged(
        "warn" if found else "pass",
        "features that are another one",
        extra,
        exactly(0),
        note=f"Up to offset and factor: {listed(found)}." if found else "",
        remedy="Leave all but one of them out.",
    )


def _varies(values: np.ndarray) -> bool:
    if not np.isfinite(values).all():
        return False
    commonest = int(np.unique(values, return_counts=True)[1].max())
    return len(values) - commonest >= _LEAST_VARIED
