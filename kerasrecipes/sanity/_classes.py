"""The classes among the labels."""

from typing import Any

import numpy as np

from kerasrecipes.sanity._loss import as_rows, class_numbers
from kerasrecipes.sanity._outcome import UnavailableError
from kerasrecipes.sanity._rows import Rows
from kerasrecipes.sanity._subject import Subject


def counts(subject: Subject, rows: Rows) -> np.ndarray:
    """Returns how many rows each class has: (classes,), or (labels, 2) for several labels.

    Raises:
        UnavailableError: For labels that are no classes, or wrong ones.
    """
    facts = subject.facts
    if facts.kind not in ("categorical", "binary"):
        raise UnavailableError("the labels are no classes")
    if rows.wrong_labels or not isinstance(rows.y, np.ndarray) or rows.y.dtype.kind not in "biuf":
        raise UnavailableError("the labels are wrong: see label_range")
    if facts.kind == "categorical":
        return _of_numbers(class_numbers(rows.y, _units(subject)), _units(subject))
    labels = as_rows(rows.y)
    if not ((labels == 0) | (labels == 1)).all():
        raise UnavailableError("the labels are shares, or wrong: see label_range")
    ones = labels.sum(axis=0)
    found = np.stack([len(labels) - ones, ones], axis=-1).astype("int64")
    return found[0] if len(found) == 1 else found


def _units(subject: Subject) -> int:
    outputs = getattr(subject.model, "outputs", None)
    return int((outputs[0] if outputs else subject.outputs).shape[-1])


def _of_numbers(numbers: np.ndarray, classes: int) -> np.ndarray:
    if numbers.min() < 0 or numbers.max() >= classes:
        raise UnavailableError("the labels are wrong: see label_range")
    return np.bincount(numbers, minlength=classes)


def name_of(subject: Subject, index: int) -> str:
    """Returns the name of a class, or its number."""
    target: Any = getattr(subject.model, "target", None)
    names = getattr(target, "class_names", None)
    return f"class {names[index]!r}" if names and index < len(names) else f"class {index}"
