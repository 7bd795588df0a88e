"""Penalties on weights: what they cost, where they apply, and what they add to the loss."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.regularizers.apply import apply as apply
from kerasrecipes.regularizers.identify import get as get
from kerasrecipes.regularizers.penalty import penalty as penalty
