"""Which rows are kept from the training to choose the best epoch by."""

import math
from typing import Any

import numpy as np

from kerasrecipes._checks import check_int, check_number, fail
from kerasrecipes._seeds import child_seed
from kerasrecipes.data.split import split

_REMEDY = "Give a share as a float, a number of rows as an int, or None for no validation."


def train_and_validation(
    rows: int, classes: np.ndarray | None, validation: Any, seed: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns which rows are for training, and which for validation; there may be none of these.

    Each class has its share of both. Where classes are too small for that, each keeps a row in
    the training, and the validation rows are drawn from all others.

    Args:
        rows: Number of rows.
        classes: Class numbers to stratify by, or None.
        validation: As for `RecipeClassifier`.
        seed: As for `RecipeClassifier`.
    """
    count = _count(rows, validation)
    if count == 0:
        return np.arange(rows), np.arange(0)
    if classes is None or _can_stratify(classes, count):
        stratify = classes is not None
        found = split(np.arange(rows), classes, validation=count, stratify=stratify, seed=seed)
        return found.train_rows, found.validation_rows
    order = np.random.default_rng(child_seed(seed, "validation")).permutation(rows)
    kept = np.unique(classes[order], return_index=True)[1]
    others = np.delete(order, kept)
    return np.concatenate([order[kept], others[count:]]), others[:count]


def _count(rows: int, validation: Any) -> int:
    """Returns the number of validation rows."""
    if validation is None:
        return 0
    if isinstance(validation, (int, np.integer)) and not isinstance(validation, bool):
        count = check_int("validation", validation, low=0, remedy=_REMEDY)
        if count >= rows:
            fail("validation", f"less than the {rows} rows", validation, _REMEDY)
        return count
    share = check_number("validation", validation, low=0, high=1, open_high=True, remedy=_REMEDY)
    return min(math.floor(share * rows + 0.5), rows - 1)


def _can_stratify(classes: np.ndarray, count: int) -> bool:
    sizes = np.bincount(classes)
    sizes = sizes[sizes > 0]
    return bool(sizes.min() >= 2 and len(sizes) <= min(count, len(classes) - count))
