"""Values of KerasTuner's hyperparameters: which there are, and where each lies in [0, 1]."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from keras_tuner.engine.hyperparameters import Boolean, Choice, Fixed, Float, HyperParameter, Int

Values = dict[str, Any]


def choices(hp: Any) -> Sequence[Any] | None:
    """Returns all values that a hyperparameter can take, or None if there is no end of them."""
    if isinstance(hp, Float) and hp.step is None:
        return None if hp.min_value < hp.max_value else (hp.min_value,)
    if isinstance(hp, Int) and hp.sampling == "linear":
        return range(hp.min_value, hp.max_value + 1, hp.step)
    if isinstance(hp, Int) and hp.step is None:
        return range(hp.min_value, hp.max_value + 1)
    if isinstance(hp, Int):
        return tuple(dict.fromkeys(round(value) for value in hp.values))
    if isinstance(hp, Boolean):
        return (False, True)
    return tuple(dict.fromkeys(hp.values))


def numeric(hp: Any) -> bool:
    """Returns whether values that are close to one another can be expected to do alike."""
    if isinstance(hp, Choice):
        return bool(hp.ordered) and not isinstance(hp.values[0], bool)
    return isinstance(hp, (Int, Float))


def to_unit(hp: Any, value: Any) -> float:
    """Returns the place of a value in [0, 1], on the scale (linear, log) of the hyperparameter."""
    found = choices(hp)
    if found is None or _by_scale(hp):
        return min(max(hp.value_to_prob(value), 0.0), 1.0)
    if numeric(hp) and value not in found:
        value = min(found, key=lambda each: abs(each - value))
    return (found.index(value) + 0.5) / len(found)


def from_unit(hp: Any, place: float) -> Any:
    """Returns the value at a place in [0, 1]; equal parts of [0, 1] for those that can be listed.

    KerasTuner's own `prob_to_value(1.0)` leaves the range of an Int on a log scale.
    """
    found = choices(hp)
    if found is None or (_by_scale(hp) and len(found) > 1):
        value = hp.prob_to_value(min(max(float(place), 0.0), 1.0))
        return min(max(value, hp.min_value), hp.max_value)
    return found[min(int(max(place, 0.0) * len(found)), len(found) - 1)]


def _by_scale(hp: Any) -> bool:
    return isinstance(hp, Int) and hp.sampling != "linear" and hp.step is None


def contains(hp: Any, value: Any) -> bool:
    """Returns whether a hyperparameter can take the value."""
    found = choices(hp)
    if found is not None:
        return value in found
    return isinstance(value, float) and hp.min_value <= value <= hp.max_value


def active(hp: HyperParameter, values: Mapping[str, Any]) -> bool:
    """Returns whether the conditions of a hyperparameter hold for the values before it."""
    return all(condition.is_active(values) for condition in hp.conditions)


def complete(space: Sequence[Any], pick: Callable[[Any], Any]) -> Values:
    """Returns a value, by `pick`, for each hyperparameter whose conditions hold."""
    values: Values = {}
    for hp in space:
        if active(hp, values):
            values[hp.name] = pick(hp)
    return values


def at(space: Sequence[Any], places: Sequence[float] | np.ndarray) -> Values:
    """Returns the values at a point of the unit cube, which has an axis for each hyperparameter."""
    where = {id(hp): place for hp, place in zip(space, places, strict=True)}
    return complete(space, lambda hp: from_unit(hp, float(where[id(hp)])))


def combinations(
    space: Sequence[Any], options: Callable[[Any], Sequence[Any]], start: Values | None = None
) -> Iterator[Values]:
    """Yields every combination of the options of active hyperparameters, the last fastest."""
    values = dict(start or {})
    if not space:
        yield values
        return
    hp, rest = space[0], space[1:]
    if not active(hp, values):
        yield from combinations(rest, options, values)
        return
    for value in options(hp):
        yield from combinations(rest, options, {**values, hp.name: value})


def count(space: Sequence[Any], options: Callable[[Any], Sequence[Any]], limit: int) -> int:
    """Returns how many combinations there are, or `limit` if there are at least as many."""
    return sum(1 for _, _ in zip(range(limit), combinations(space, options), strict=False))


def key(values: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Returns what two trials have in common that try the same; KerasTuner's marks are left out."""
    return tuple(sorted((k, v) for k, v in values.items() if not k.startswith("tuner/")))


def encode(space: Sequence[Any], values: Mapping[str, Any]) -> np.ndarray:
    """Returns the values as a vector for a model of the objective.

    A number is its place in [0, 1]. Of a category each value has an axis of its own, so that any
    two lie at distance 1. What is inactive lies in the middle.
    """
    parts: list[float] = []
    for hp in space:
        value = values.get(hp.name) if active(hp, values) else None
        if isinstance(hp, Fixed):
            continue
        if numeric(hp):
            parts.append(0.5 if value is None else to_unit(hp, value))
        else:
            found = choices(hp) or ()
            parts.extend(float(value == each) / np.sqrt(2) for each in found)
    return np.array(parts)


def describe(space: Sequence[Any]) -> dict[str, Any]:
    """Returns the space in types that JSON has, by name and condition."""
    described = {}
    for hp in space:
        conditions = [f"{c.name} in {c.values}" for c in hp.conditions]
        name = f"{hp.name} if {' and '.join(conditions)}" if conditions else hp.name
        config = hp.get_config()
        kept = {k: v for k, v in config.items() if k not in ("name", "conditions", "default")}
        described[name] = {"type": type(hp).__name__, **kept}
    return described
