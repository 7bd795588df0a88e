"""From a name to a recipe."""

from collections.abc import Callable
from typing import Any

from kerasrecipes._checks import fail
from kerasrecipes._export import lookup


def recipe_of(recipe: str | Callable[..., Any]) -> Callable[..., Any]:
    """Returns the recipe function that a name stands for; a function is returned as it is."""
    if isinstance(recipe, str):
        return lookup("recipe", "recipes", recipe)
    if not callable(recipe) or not hasattr(recipe, "__name__"):
        fail("recipe", "a recipe function, or the name of one", recipe)
    return recipe
