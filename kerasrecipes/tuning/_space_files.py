"""Search spaces as JSON."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from kerasrecipes._checks import InputError
from kerasrecipes.tuning.parameter import Parameter
from kerasrecipes.tuning.parameters import KINDS


def to_dict(recipe: Callable[..., Any], parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Returns a space as values of JSON."""
    return {
        "recipe": recipe.__name__,
        "parameters": {name: _written(parameter) for name, parameter in parameters.items()},
    }


def _written(parameter: Parameter) -> dict[str, Any]:
    kind = next(name for name, each in KINDS.items() if each is type(parameter))
    fields = {each.name: getattr(parameter, each.name) for each in dataclasses.fields(parameter)}
    return {"kind": kind, **{name: _as_list(value) for name, value in fields.items()}}


def parameters(found: Mapping[str, Any]) -> dict[str, Parameter]:
    """Returns the hyperparameters that `to_dict` wrote."""
    return {name: _read(name, each) for name, each in found["parameters"].items()}


def _read(name: str, found: Mapping[str, Any]) -> Parameter:
    fields = {key: _as_tuple(value) for key, value in found.items() if key != "kind"}
    try:
        return KINDS[found["kind"]](**fields)
    except (KeyError, TypeError) as error:
        raise InputError(f"The search space is damaged at {name!r}: {found!r}.") from error


def _as_list(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_as_list(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _as_list(each) for key, each in value.items()}
    return value


def _as_tuple(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_as_tuple(each) for each in value)
    if isinstance(value, dict):
        return {key: _as_tuple(each) for key, each in value.items()}
    return value
