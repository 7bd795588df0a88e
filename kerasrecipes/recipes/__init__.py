"""Recipes: functions that return compiled models."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.recipes.mlp import mlp as mlp
from kerasrecipes.recipes.recipe_model import RecipeCall as RecipeCall
from kerasrecipes.recipes.recipe_model import RecipeModel as RecipeModel
