"""Does every class occur?"""

import numpy as np

from kerasrecipes.sanity._classes import counts, name_of
from kerasrecipes.sanity._outcome import exactly, judged, listed
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding


def missing_classes(subject: Subject) -> Finding:
    """Every class that the model can predict occurs among the training and validation labels."""
    missing = _missing(counts(subject, subject.train))
    others = np.zeros(0, int)
    if subject.validation is not None and subject.validation.y is not None:
        others = np.setdiff1d(_missing(counts(subject, subject.validation)), missing)
    notes = []
    if len(missing):
        notes.append(f"Not in training: {listed([name_of(subject, i) for i in missing])}.")
    if len(others):
        notes.append(f"Not in validation: {listed([name_of(subject, i) for i in others])}.")
    return judged(
        "fail" if len(missing) else "warn" if len(others) else "pass",
        "classes that do not occur",
        len(missing) + len(others),
        exactly(0),
        note=" ".join(notes),
        remedy="Split stratified (`kerasrecipes.data.split`), collect rows of these classes, or "
        "give the output fewer units.",
    )


def _missing(found: np.ndarray) -> np.ndarray:
    """Returns the numbers of the classes, or of the labels, that do not occur."""
    return np.flatnonzero(found == 0 if found.ndim == 1 else (found == 0).any(axis=-1))
