"""Which trial is the best, when chance decides between several."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasrecipes.tuning.trial_record import TrialRecord

TOP = 10
_SIZES = "units", "width", "filters", "layers", "depth", "blocks"


def ranked(records: Sequence[TrialRecord], direction: str) -> tuple[TrialRecord, ...]:
    """Returns the completed trials, best mean first; of equal ones the earliest."""
    sign = -1 if direction == "max" else 1
    found = [record for record in records if is_completed(record)]
    return tuple(sorted(found, key=lambda record: (sign * (record.score or 0.0), record.number)))


def is_completed(record: TrialRecord) -> bool:
    """Returns whether a trial came to its end with a finite score."""
    score = record.score
    return record.status == "completed" and score is not None and math.isfinite(score)


def final(records: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
    """Returns the trials without those that another completed one continues (Hyperband)."""
    parents = {record.parent for record in records if is_completed(record)}
    return tuple(record for record in records if record.trial_id not in parents)


def own_error(record: TrialRecord) -> float | None:
    """Returns the standard error of a trial's mean, from its own runs; None for a single one."""
    runs = len(record.scores)
    return float(np.std(record.scores, ddof=1)) / math.sqrt(runs) if runs > 1 else None


def standard_error(
    order: Sequence[TrialRecord], *, objective: str, validation_rows: int | None
) -> float | None:
    """Returns the standard error of the best mean, or None where nothing tells it.

    With several runs per trial, run j of each trial has the same fold: what run j has in common
    in all trials decides between none of them. So it is the residual of trial + run in the ten
    best trials that counts, which also estimates it from more than the few runs of one trial.

    With one run per trial there is the error of a share of `validation_rows` rows, for accuracies.

    Args:
        order: Completed trials, best first.
        objective: Log name of the score.
        validation_rows: Rows that each score is of, or None.
    """
    if not order:
        return None
    runs = len(order[0].scores)
    if runs > 1:
        top = np.array([each.scores for each in order[:TOP] if len(each.scores) == runs])
        if len(top) < 2:
            return own_error(order[0])
        rest = top - top.mean(axis=0) - top.mean(axis=1, keepdims=True) + top.mean()
        return math.sqrt(float((rest**2).sum()) / ((len(top) - 1) * (runs - 1)) / runs)
    if validation_rows and "accuracy" in objective:
        # A share of exactly 1 is not free of error: one success and one failure more (Laplace).
        share = (float(order[0].score or 0.0) * validation_rows + 1) / (validation_rows + 2)
        return math.sqrt(share * (1 - share) / validation_rows)
    return None


def within(order: Sequence[TrialRecord], error: float | None) -> tuple[TrialRecord, ...]:
    """Returns the trials whose mean lies within one standard error of the best, which is one."""
    if error is None:
        return tuple(order[:1])
    best = float(order[0].score or 0.0) if order else 0.0
    return tuple(each for each in order if abs(float(each.score or 0.0) - best) <= error)


def simplest(near: Sequence[TrialRecord]) -> TrialRecord:
    """Returns the one with the fewest units, of equal ones the best; the best if unknown."""
    known = all(_units(each) >= 0 for each in near)
    return min(near, key=_units) if known else near[0]


def is_first_guess(values: Mapping[str, Any], declared: Sequence[Any]) -> bool:
    """Returns whether each of the values is the default of its hyperparameter."""
    return all(values.get(each.name, each.default) == each.default for each in declared)


def units(arguments: Mapping[str, Any]) -> int | None:
    """Returns the number of hidden units, as far as the arguments tell it, or None.

    The number of weights would need the inputs too; units order networks of one family well.

    Example:
    >>> units({"hidden": [64, 32]}), units({"width": 8, "depth": 3}), units({"dropout": 0.1})
    (96, 24, None)
    """
    widths = arguments.get("hidden")
    if isinstance(widths, (list, tuple)) and all(map(_is_count, widths)):
        return sum(widths)
    found = [arguments[name] for name in _SIZES if _is_count(arguments.get(name))]
    return math.prod(found) if found else None


def _units(trial: TrialRecord) -> int:
    found = units({**trial.values, **trial.model})
    return -1 if found is None else found


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
