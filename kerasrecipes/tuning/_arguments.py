"""From the values of a trial to the arguments of a recipe and of its fit."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from kerasrecipes._checks import InputError, check_choice, fail
from kerasrecipes.recipes._call import takes_backbone

FIT = {"batch_size": 32, "epochs": 100}
_NOT_SEARCHED = ("input_shape", "target", "strategy", "name")
_LEAST_WIDTH = 8


def accepted(recipe: Callable[..., Any]) -> dict[str, Any]:
    """Returns what of a recipe can be searched, with the defaults; ... where there is none."""
    first = 0 if takes_backbone(recipe) else 2  # after the rows and the target
    parameters = list(inspect.signature(recipe).parameters.values())[first:]
    own = {
        each.name: ... if each.default is each.empty else each.default
        for each in parameters
        if each.kind in (each.KEYWORD_ONLY, each.POSITIONAL_OR_KEYWORD)
    }
    return {**{name: own[name] for name in own if name not in _NOT_SEARCHED}, **FIT}


def takes_any(recipe: Callable[..., Any]) -> bool:
    """Returns whether a recipe has `**kwargs`."""
    parameters = inspect.signature(recipe).parameters.values()
    return any(each.kind is each.VAR_KEYWORD for each in parameters)


def check_argument(name: str, argument: str, recipe: Callable[..., Any]) -> None:
    """Refuses an argument that neither the recipe nor the fit has."""
    base = argument.partition(".")[0]
    if not takes_any(recipe):
        known = list(accepted(recipe))
        check_choice(name, base, known, remedy="It must be an argument of the recipe or the fit.")


def check_callbacks(callbacks: Any) -> None:
    """Refuses callbacks that all trials would share."""
    if callbacks is not None and not callable(callbacks):
        remedy = "Write `callbacks=lambda: [...]`: each trial needs new ones."
        fail("callbacks", "a function that returns a list of callbacks", callbacks, remedy)


def split(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[dict, dict]:
    """Returns the arguments of the recipe and of the fit.

    Args:
        given: Value of each argument; with a dot in the name, of a key of an argument.
        defaults: The recipe's own, for a dict of which only keys are given.
    """
    whole = {name: value for name, value in given.items() if "." not in name}
    parts: dict[str, dict[str, Any]] = {}
    for name, value in given.items():
        base, dot, key = name.partition(".")
        if dot:
            parts.setdefault(base, {})[key] = value
    for base, keys in parts.items():
        if base == "hidden":
            whole[base] = widths(**keys)
        else:
            whole[base] = _with_keys(base, whole.get(base, defaults.get(base)), keys)
    model = {name: value for name, value in whole.items() if name not in FIT}
    return model, {name: value for name, value in whole.items() if name in FIT}


def _with_keys(base: str, value: Any, keys: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        fail(base, f"a name, which takes {', '.join(keys)}", value)
    return {**value, **{key: each for key, each in keys.items() if key not in value}}


def widths(*, layers: int = 3, units: int = 256, shape: str = "constant") -> tuple[int, ...]:
    """Returns the width of each hidden layer.

    A "constant" network has the same width throughout; a "pyramid" halves it from layer to layer,
    down to 8 at the least.

    Example:
    >>> widths(layers=3, units=64), widths(layers=4, units=32, shape="pyramid")
    ((64, 64, 64), (32, 16, 8, 8))
    """
    check_choice("hidden.shape", shape, ("constant", "pyramid"))
    if shape == "constant":
        return (units,) * layers
    return tuple(max(units >> layer, min(units, _LEAST_WIDTH)) for layer in range(layers))


def unknown_value(name: str, names: list[str], hint: str) -> InputError:
    """Returns the error for a value of no hyperparameter."""
    message = f"`values` must be of the space's {', '.join(names)}. Received: {name!r}. {hint}"
    return InputError(message.strip())
