"""A search space as text."""

import math
from typing import Any

from kerasrecipes.tuning.parameter import Parameter, label
from kerasrecipes.tuning.parameters import Numeric

_COLUMNS = ("name", "values", "scale", "first guess", "when")


def table(space: Any) -> str:
    """Returns a row per hyperparameter, and what is fixed."""
    rows = [_COLUMNS, *(_row(space, name) for name in space.names)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    fixed = ", ".join(_fixed(space, name) for name in space.fixed)
    return "\n".join([_title(space), *lines, *([f"fixed: {fixed}"] if fixed else [])])


def _title(space: Any) -> str:
    size, count = space.size, len(space.names)
    points = "infinitely many points" if math.isinf(size) else f"{size:,} point{'s' * (size != 1)}"
    many = f"{count} hyperparameter{'s' * (count != 1)}"
    return f"Search space of {space.recipe.__name__}: {many}, {points}"


def _row(space: Any, name: str) -> tuple[str, ...]:
    parameter = space.parameters[name]
    first = label(parameter.default)
    return name, _values(parameter), _scale(parameter), first, _when(space, name)


def _when(space: Any, name: str) -> str:
    conditions = space.conditions(name).items()
    return "; ".join(f"{parent}: {', '.join(map(label, of))}" for parent, of in conditions)


def _fixed(space: Any, name: str) -> str:
    when = _when(space, name)
    return f"{name} = {label(space.fixed[name])}{f' ({when})' if when else ''}"


def _values(parameter: Parameter) -> str:
    if isinstance(parameter, Numeric):
        return parameter.describe()
    return ", ".join(map(label, parameter.points or ()))


def _scale(parameter: Parameter) -> str:
    if not isinstance(parameter, Numeric):
        return ""
    word = ("log, times" if parameter.log else "steps of") if parameter.step else "log"
    return f"{word} {parameter.step:g}" if parameter.step else word * parameter.log
