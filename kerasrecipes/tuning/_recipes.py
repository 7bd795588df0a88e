"""What a recipe function is, and what it takes first."""

import inspect
from collections.abc import Callable
from typing import Any

from kerasrecipes._checks import fail
from kerasrecipes._export import lookup

_ROWS = ("table", "texts")


def recipe_of(recipe: str | Callable[..., Any]) -> Callable[..., Any]:
    """Returns the recipe function that a name stands for; a function is returned as it is."""
    if isinstance(recipe, str):
        return lookup("recipe", "recipes", recipe)
    if not callable(recipe) or not hasattr(recipe, "__name__"):
        fail("recipe", "a recipe function, or the name of one", recipe)
    return recipe


def is_ours(recipe: Callable[..., Any]) -> bool:
    """Returns whether a recipe is one of this package."""
    return recipe.__module__.startswith("kerasrecipes.")


def first_argument(recipe: Callable[..., Any]) -> str:
    """Returns the name of what a recipe takes first, such as "input_shape"."""
    return next(iter(inspect.signature(recipe).parameters), "nothing")


def takes_table(recipe: Callable[..., Any]) -> bool:
    """Returns whether a recipe takes the rows of a table, with columns of all kinds."""
    return first_argument(recipe) == "table"


def first_input(recipe: Callable[..., Any], x: Any) -> Any:
    """Returns what a recipe takes first: the training rows, or the shape of one."""
    if first_argument(recipe) in _ROWS:
        return x
    return () if x.dtype.kind in "OUS" else tuple(x.shape[1:])
