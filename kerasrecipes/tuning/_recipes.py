"""What a recipe function is."""

from collections.abc import Callable
from typing import Any

from kerasrecipes._checks import fail
from kerasrecipes._export import lookup
from kerasrecipes.recipes._call import first_argument


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


def takes_table(recipe: Callable[..., Any]) -> bool:
    """Returns whether a recipe takes the rows of a table, with columns of all kinds."""
    return first_argument(recipe) == "table"
