"""Calls any recipe: with the shape of a row, with the rows, or with a trained network."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras

_ROWS = ("table", "texts")


def first_argument(recipe: Callable[..., Any]) -> str:
    """Returns the name of what a recipe takes first, such as "input_shape"."""
    return next(iter(inspect.signature(recipe).parameters), "nothing")


def takes_backbone(recipe: Callable[..., Any]) -> bool:
    """Returns whether a recipe takes a trained network, which knows the shape of a row."""
    return first_argument(recipe) == "backbone"


def call(
    recipe: Callable[..., Any], x: Any, target: Any, arguments: Mapping[str, Any]
) -> keras.Model:
    """Returns the model that a recipe makes for training rows.

    Args:
        recipe: A recipe function.
        x: The training rows.
        target: What it predicts.
        arguments: The other arguments; the backbone is one of them.
    """
    first = first_argument(recipe)
    if first == "backbone":
        return recipe(target=target, **_shape(arguments, x), **arguments)
    if first in _ROWS:
        return recipe(x, target, **arguments)
    shape = () if x.dtype.kind in "OUS" else tuple(x.shape[1:])
    return recipe(shape, target, **arguments)


def _shape(arguments: Mapping[str, Any], x: Any) -> dict[str, Any]:
    """Returns the shape of a row for a name of `keras.applications`; a model has its own."""
    name = arguments.get("backbone")
    by_name = isinstance(name, str) and not name.endswith(".keras")
    return {"input_shape": tuple(x.shape[1:])} if by_name and "input_shape" not in arguments else {}
