"""Training, validation and test rows: disjoint, complete, exact in size and stratified."""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np

from kerasrecipes._arrays import count_rows, take
from kerasrecipes._checks import InputError, check_choice, check_int, check_number, fail
from kerasrecipes._epoch_order import resolve_seed
from kerasrecipes._export import export
from kerasrecipes.targets.identify import infer
from kerasrecipes.targets.regression import Regression


class Pair(NamedTuple):
    """Inputs and labels of the same rows; `fit(validation_data=...)` takes it as it is."""

    x: Any
    y: Any


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """What `split` returns.

    Attributes:
        train: Inputs and labels (x, y) of the training rows.
        validation: The same for the validation rows; None if there are none.
        test: The same for the test rows; None if there are none.
        train_rows: Which rows of the data these are, an int64 array in random order.
        validation_rows: The same for validation; empty if there are none.
        test_rows: The same for test; empty if there are none.
        seed: The seed that was given or drawn.

    Example:
    >>> parts = split(["a", "b", "c", "d"], validation=1, seed=0)
    >>> parts.validation.x, parts.validation_rows.tolist(), parts.test
    (['d'], [3], None)
    """

    train: Pair
    validation: Pair | None
    test: Pair | None
    train_rows: np.ndarray
    validation_rows: np.ndarray
    test_rows: np.ndarray
    seed: int


@export("data", saved=False)
def split(
    x: Any,
    y: Any = None,
    *,
    validation: float = 0.15,
    test: float = 0.0,
    stratify: bool | str = "auto",
    seed: int | None = None,
    groups: Any = None,
) -> Split:
    """Returns training, validation and test rows, drawn at random from `seed`.

    Each row is in one part exactly. A fraction f of n rows is `floor(f * n + 0.5)` rows; what
    validation and test leave is for training. Stratified, each class has the same share of every
    part, to within one row. With groups, a fraction is one of the groups, each of which stays
    whole, so the numbers of rows follow the sizes of the groups.

    Args:
        x: Inputs: an array, DataFrame, list with one entry per row, or a dict or tuple of these.
        y: Labels, one per row; None if there are none. Defaults to None.
        validation: Fraction in [0, 1) as a float, or number of rows as an int. Defaults to 0.15.
        test: The same for the test part. Defaults to 0.0: no test part.
        stratify: True, False or "auto": whether `y` looks like classes (names, booleans, or
            whole numbers from 0) and no groups are given. Defaults to "auto".
        seed: Integer >= 0, or None to draw one. Defaults to None.
        groups: One label per row; rows of one group (a patient, a user, a day) never come into
            different parts. Defaults to None.

    Returns: A `Split`.

    Raises: InputError if a part or the training rows would be empty, if a class has too few rows
        to be in every part, or if lengths differ.

    Example:
    >>> parts = split(np.arange(20), [0, 1] * 10, validation=0.2, test=2, seed=0)
    >>> len(parts.train.x), len(parts.validation.x), len(parts.test.x)
    (14, 4, 2)
    >>> sorted(parts.validation.y)
    [0, 0, 1, 1]
    """
    seed = resolve_seed(seed)
    rows = count_rows(x=x, y=y, groups=groups)
    check_choice("stratify", stratify, (True, False, "auto"))
    # A seed of any size, and a stream of numbers that NumPy has frozen.
    state = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    if groups is not None:
        if stratify is True:
            fail("stratify", "False or 'auto' when groups are given", stratify)
        parts = _by_group(_group_labels(groups), validation, test, state)
    else:
        counts = _counts(rows, validation, test)
        parts = _by_row(rows, counts, _classes(y, stratify), state)
    train, held_out, tested = parts
    return Split(
        Pair(take(x, train), take(y, train)),
        Pair(take(x, held_out), take(y, held_out)) if len(held_out) else None,
        Pair(take(x, tested), take(y, tested)) if len(tested) else None,
        train,
        held_out,
        tested,
        seed,
    )


def _counts(rows: int, validation: Any, test: Any) -> tuple[int, int]:
    """Returns the rows of the validation and of the test part."""
    counts = _count("validation", validation, rows), _count("test", test, rows)
    _check_leaves(counts, rows, "row")
    return counts


def _count(argument: str, size: Any, total: int, unit: str = "row") -> int:
    if isinstance(size, (int, np.integer)) and not isinstance(size, bool):
        return check_int(argument, size, low=0)
    remedy = "Give a fraction as a float, or a number of rows as an int."
    fraction = check_number(argument, size, low=0, high=1, open_high=True, remedy=remedy)
    count = math.floor(fraction * total + 0.5)
    if fraction > 0 and count == 0:
        least = f"at least {0.5 / total:.2g} with {total} {unit}(s), or 0"
        fail(argument, least, size, "This fraction leaves the part empty.")
    return count


def _check_leaves(counts: tuple[int, int], total: int, unit: str) -> None:
    held_out, tested = counts
    if held_out + tested == 0:
        raise InputError("`validation` and `test` must not both be 0: there is nothing to split.")
    if held_out + tested >= total:
        raise InputError(
            f"`validation` and `test` must leave {unit}s for training. Received: {held_out} and "
            f"{tested} of {total} {unit}(s). Make them smaller."
        )


def _classes(y: Any, stratify: bool | str) -> np.ndarray | None:
    """Returns the labels to stratify by, as class numbers; None for a plain split."""
    if stratify is False or (y is None and stratify == "auto"):
        return None
    if y is None or isinstance(y, (dict, tuple)):
        fail("stratify", "False or 'auto' without a single array of labels `y`", stratify)
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if stratify == "auto" and (labels.ndim != 1 or isinstance(infer(labels), Regression)):
        return None
    if labels.ndim != 1:
        remedy = "Give one label per row, or stratify=False."
        fail("stratify", "False or 'auto' for labels of shape (n, k)", stratify, remedy)
    return np.unique(labels.astype(str) if labels.dtype == object else labels, return_inverse=True)[
        1
    ]


def _by_row(
    rows: int, counts: tuple[int, int], classes: np.ndarray | None, state: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    left = np.arange(rows)
    if classes is not None:
        _check_classes(classes, rows, counts)
    held_out, tested = counts
    left, test_rows = _draw(left, tested, classes, state)
    left, validation_rows = _draw(left, held_out, classes, state)
    return left, validation_rows, test_rows


def _draw(
    left: np.ndarray, count: int, classes: np.ndarray | None, state: Any
) -> tuple[np.ndarray, np.ndarray]:
    if count == 0:
        return state.permutation(left), left[:0]
    # scikit-learn is loaded when it is needed, not with the package.
    from sklearn.model_selection import train_test_split

    labels = None if classes is None else classes[left]
    try:
        kept, drawn = train_test_split(left, test_size=count, random_state=state, stratify=labels)
    except ValueError as error:
        raise InputError(
            f"`y` has a class with too few rows to stratify: {error} Merge rare classes, hold "
            "out more rows, or use stratify=False."
        ) from error
    return kept, drawn


def _check_classes(classes: np.ndarray, rows: int, counts: tuple[int, int]) -> None:
    sizes = np.bincount(classes)
    parts = 1 + sum(count > 0 for count in counts)
    if sizes.min() < parts:
        raise InputError(
            f"`y` must have at least {parts} rows of each class to stratify into {parts} parts. "
            f"Received: {int((sizes < parts).sum())} class(es) with fewer, the smallest with "
            f"{sizes.min()} row(s). Merge or drop rare classes, or use stratify=False."
        )
    named = {"validation": counts[0], "test": counts[1], "training": rows - sum(counts)}
    for name, count in named.items():
        if 0 < count < len(sizes):
            raise InputError(
                f"The {name} part must have a row for each class to stratify. Received: {count} "
                f"row(s) for {len(sizes)} classes. Make it larger, or use stratify=False."
            )


def _group_labels(groups: Any) -> np.ndarray:
    labels = np.asarray(groups)
    missing = [label is None or label != label for label in labels.tolist()]
    if any(missing):
        fail("groups", "without gaps", f"no group in row {missing.index(True)}")
    return np.unique(labels.astype(str) if labels.dtype == object else labels, return_inverse=True)[
        1
    ]


def _by_group(
    groups: np.ndarray, validation: Any, test: Any, state: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    total = int(groups.max()) + 1
    for argument, size in (("validation", validation), ("test", test)):
        if isinstance(size, (int, np.integer)) and size != 0:
            remedy = "Groups stay whole, so a number of rows cannot be met."
            fail(argument, "a fraction (float) of the groups when groups are given", size, remedy)
    held_out = _count("validation", validation, total, "group")
    tested = _count("test", test, total, "group")
    _check_leaves((held_out, tested), total, "group")
    left = np.arange(len(groups))
    left, test_rows = _draw_groups(left, tested, groups, state)
    left, validation_rows = _draw_groups(left, held_out, groups, state)
    return left, validation_rows, test_rows


def _draw_groups(
    left: np.ndarray, count: int, groups: np.ndarray, state: Any
) -> tuple[np.ndarray, np.ndarray]:
    if count == 0:
        return state.permutation(left), left[:0]
    from sklearn.model_selection import GroupShuffleSplit

    splitter = GroupShuffleSplit(1, test_size=count, random_state=state)
    kept, drawn = next(splitter.split(left, groups=groups[left]))
    return state.permutation(left[kept]), state.permutation(left[drawn])
