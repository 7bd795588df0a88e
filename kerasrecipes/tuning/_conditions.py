"""Which hyperparameters of a space matter, and when."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kerasrecipes._checks import InputError, did_you_mean, fail
from kerasrecipes.tuning.parameter import Parameter, matches
from kerasrecipes.tuning.parameters import Choice, Fixed, Int

Conditions = dict[str, tuple[Any, ...]]


def parents_first(
    parameters: Mapping[str, Parameter], *, check: Iterable[str]
) -> dict[str, Parameter]:
    """Returns the hyperparameters so that each comes after those that its `when` names.

    Args:
        parameters: Hyperparameters by name.
        check: Names of those whose `when` must be one that can be met.

    Raises: InputError for a `when` that cannot be met, or that goes in a circle.
    """
    for name in check:
        _check_when(name, parameters[name], parameters)
    found: dict[str, Parameter] = {}
    while len(found) < len(parameters):
        rest = [name for name in parameters if name not in found]
        ready = [name for name in rest if parameters[name].when.keys().isdisjoint(rest)]
        if not ready:
            raise InputError(f"`when` goes in a circle among {', '.join(rest)}.")
        found.update({name: parameters[name] for name in ready[:1]})
    return found


def _check_when(name: str, parameter: Parameter, parameters: Mapping[str, Parameter]) -> None:
    for parent, allowed in parameter.when.items():
        argument = f"{name}.when"
        if parent not in parameters or parent == name:
            hint = did_you_mean(parent, [each for each in parameters if each != name])
            fail(argument, "of other hyperparameters of the space", parent, hint)
        mother = parameters[parent]
        countable = isinstance(mother, (Choice, Fixed)) or (
            isinstance(mother, Int) and not mother.also
        )
        if not countable:
            fail(argument, "of hyperparameters that are a Choice, an Int or Fixed", parent)
        if not _common(mother, allowed):
            known = mother.points or ()
            hint = did_you_mean(allowed[0], known)
            fail(f"{argument}[{parent!r}]", f"among {known}", allowed, hint)


def reachable(parameters: Mapping[str, Parameter]) -> dict[str, Conditions]:
    """Returns the hyperparameters that can matter, with the conditions that are still open.

    What is fixed meets a condition always or never.
    """
    found: dict[str, Conditions] = {}
    for name, parameter in parameters.items():
        conditions = _open_conditions(parameter, parameters, found)
        if conditions is not None:
            found[name] = conditions
    return found


def _open_conditions(
    parameter: Parameter, parameters: Mapping[str, Parameter], found: Mapping[str, Conditions]
) -> Conditions | None:
    conditions: Conditions = {}
    for parent, allowed in parameter.when.items():
        if parent not in found:
            return None
        mother = parameters[parent]
        values = _common(mother, allowed)
        if not values:
            return None
        always = len(values) == len(mother.points or ())
        for key, these in (found[parent] if always else {parent: values}).items():
            both = tuple(v for v in conditions.get(key, these) if v in these)
            if not both:
                return None
            conditions[key] = both
    return conditions


def _common(mother: Parameter, allowed: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value for value in mother.points or () if matches(value, allowed))


def count_points(parameters: Mapping[str, Parameter]) -> float:
    """Returns how many different points the space has: an int, or infinity."""
    conditions = reachable(parameters)
    if any(parameters[name].points is None for name in conditions):
        return math.inf
    parents = {parent for these in conditions.values() for parent in these}
    return sum(
        _size_given(chosen, parameters, conditions)
        for chosen in _choices([n for n in conditions if n in parents], parameters, conditions)
    )


def _choices(
    names: list[str], parameters: Mapping[str, Parameter], conditions: Mapping[str, Conditions]
) -> Iterator[dict[str, Any]]:
    """Yields each assignment of the hyperparameters that others depend on."""
    chosen: list[dict[str, Any]] = [{}]
    for name in names:
        longer = []
        for each in chosen:
            active = is_active(conditions[name], each)
            values = parameters[name].points or ()
            longer += [{**each, name: value} for value in values] if active else [each]
        chosen = longer
    yield from chosen


def _size_given(
    chosen: Mapping[str, Any],
    parameters: Mapping[str, Parameter],
    conditions: Mapping[str, Conditions],
) -> int:
    names = [n for n in conditions if n not in chosen and is_active(conditions[n], chosen)]
    return math.prod(len(parameters[name].points or ()) for name in names)


def is_active(conditions: Conditions, values: Mapping[str, Any]) -> bool:
    """Returns whether a hyperparameter with these open conditions matters at these values."""
    return all(
        parent in values and matches(values[parent], allowed)
        for parent, allowed in conditions.items()
    )
