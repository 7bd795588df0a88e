"""The dimensions of a search space as plain data, and where a trial lies in them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kerasrecipes.tuning.parameters import KIND


class Axis(NamedTuple):
    """One hyperparameter, whatever its conditions.

    Attributes:
        name: Its name.
        log: Whether it is drawn from a logarithmic scale.
        choices: What it is chosen from, () for a range of numbers.
    """

    name: str
    log: bool
    choices: tuple[Any, ...]


def axes(declared: Sequence[Any]) -> tuple[Axis, ...]:
    """Returns an axis for each name among KerasTuner's hyperparameters that can vary.

    A name that is declared several times, under several conditions, is one axis. The choice
    between a range and values beside it ("l2/kind") belongs to the axis of the range.
    """
    return tuple(
        _axis(name, [each for each in declared if each.name == name])
        for name in varying(declared)
        if not name.endswith(KIND)
    )


def varying(declared: Iterable[Any]) -> list[str]:
    """Returns the names of what can vary, each once."""
    return list(dict.fromkeys(each.name for each in declared if can_vary(each)))


def can_vary(hyperparameter: Any) -> bool:
    """Returns whether it has two values or more."""
    if is_range(hyperparameter):
        return hyperparameter.min_value < hyperparameter.max_value
    return len(set(hyperparameter.values)) > 1


def is_range(hyperparameter: Any) -> bool:
    """Returns whether it is a range of numbers, rather than a list to choose from."""
    return hasattr(hyperparameter, "min_value")


def active(declared: Iterable[Any], name: str, values: Mapping[str, Any]) -> Any:
    """Returns the hyperparameter of that name whose conditions `values` meet, or None."""
    if name not in values:
        return None
    for each in declared:
        if each.name == name and all(found.is_active(values) for found in each.conditions):
            return each
    return None


def shown(values: Mapping[str, Any], name: str) -> Any:
    """Returns the value of a trial, or what it has in the place of a number of the range, or None.

    Example:
    >>> shown({"l2/kind": "range", "l2": 0.1}, "l2"), shown({"l2/kind": "none"}, "l2")
    (0.1, 'none')
    """
    return values[name] if name in values else values.get(name + KIND)


def positions(
    declared: Sequence[Any], names: Sequence[str], trials: Sequence[Mapping[str, Any]]
) -> np.ndarray:
    """Returns where each trial lies in [0, 1] along each name, by probability; NaN if inactive."""
    found = np.full((len(trials), len(names)), np.nan)
    for row, values in enumerate(trials):
        for column, name in enumerate(names):
            hyperparameter = active(declared, name, values)
            if hyperparameter is not None:
                found[row, column] = hyperparameter.value_to_prob(values[name])
    return np.clip(found, 0.0, 1.0)


def _axis(name: str, declared: list[Any]) -> Axis:
    ranges = [each for each in declared if is_range(each)]
    if ranges:
        return Axis(name, any(each.sampling == "log" for each in ranges), ())
    choices = dict.fromkeys(value for each in declared for value in each.values)
    return Axis(name, False, tuple(choices))
