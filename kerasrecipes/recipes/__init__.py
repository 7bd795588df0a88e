"""Recipes: functions that return compiled models."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.recipes.auto import auto as auto
from kerasrecipes.recipes.cnn import cnn as cnn
from kerasrecipes.recipes.fine_tune import fine_tune as fine_tune
from kerasrecipes.recipes.fine_tune_model import FineTuneModel as FineTuneModel
from kerasrecipes.recipes.mlp import mlp as mlp
from kerasrecipes.recipes.recipe_model import RecipeCall as RecipeCall
from kerasrecipes.recipes.recipe_model import RecipeModel as RecipeModel
from kerasrecipes.recipes.resnet import resnet as resnet
from kerasrecipes.recipes.rnn import rnn as rnn
from kerasrecipes.recipes.table_model import TableModel as TableModel
from kerasrecipes.recipes.tabular import tabular as tabular
from kerasrecipes.recipes.temporal import temporal as temporal
from kerasrecipes.recipes.text import text as text
from kerasrecipes.recipes.text_model import TextModel as TextModel
from kerasrecipes.recipes.transformer import transformer as transformer
