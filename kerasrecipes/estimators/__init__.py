"""scikit-learn estimators over the recipes."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.estimators.recipe_classifier import RecipeClassifier as RecipeClassifier
from kerasrecipes.estimators.recipe_regressor import RecipeRegressor as RecipeRegressor
