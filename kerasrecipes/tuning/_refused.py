"""Values that a recipe refuses, found before a search spends time on them."""

from collections.abc import Iterator
from typing import Any

from kerasrecipes._checks import InputError
from kerasrecipes.tuning._trainer import Trainer
from kerasrecipes.tuning.parameter import Parameter, label, matches
from kerasrecipes.tuning.parameters import KIND, RANGE, Numeric
from kerasrecipes.tuning.search_space import SearchSpace
from kerasrecipes.tuning.space import space as space_of


def check_values(trainer: Trainer) -> None:
    """Builds a model with each value that the user has put into the space of a recipe.

    Of a range these are its ends. The values of the recipe's own space are known to be good.

    Raises: InputError that names the value and says what the recipe said.
    """
    space = trainer.space
    try:
        own = space_of(space.recipe, trainer.target)
    except InputError:
        return  # of one's own recipe nothing is known, and to build its models may be dear
    for what, values in _new_points(space, own):
        arguments, _ = space.arguments(values)
        try:
            trainer.build(arguments, trainer.plan.seed, 0)
        except InputError as error:
            raise InputError(
                f"`space` must have values that {space.recipe.__name__} takes. Received: {what}. "
                f"{error}"
            ) from error


def _new_points(space: SearchSpace, own: SearchSpace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields points that have between them each new value, and what is new there."""
    fixed = [
        f"{name} = {label(value)}"
        for name, value in space.fixed.items()
        if name not in own.parameters or not own.parameters[name].accepts(value)
    ]
    if fixed:
        yield ", ".join(fixed), {}
    for name in space.names:
        known = own.parameters.get(name)
        for value in _ends(space.parameters[name]):
            if known is None or not known.accepts(value):
                yield f"{name} = {label(value)}", _point(space, name, value)


def _ends(parameter: Parameter) -> tuple[Any, ...]:
    if isinstance(parameter, Numeric):
        return (parameter.low, parameter.high, *parameter.also)
    return parameter.points or ()


def _point(space: SearchSpace, name: str, value: Any) -> dict[str, Any]:
    """Returns the first guess, but for one value and for what makes it matter."""
    values: dict[str, Any] = {}
    wanted = [(name, value)]
    while wanted:
        name, value = wanted.pop()
        parameter = space.parameters[name]
        if isinstance(parameter, Numeric) and parameter.kind_of(value) != RANGE:
            values[name + KIND] = parameter.kind_of(value)
        else:
            values[name] = parameter.encode(value)
        for parent, allowed in space.conditions(name).items():
            default = space.parameters[parent].default
            wanted.append((parent, default if matches(default, allowed) else allowed[0]))
    return values
