"""Finders: what to set before training, measured on the model and data at hand."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.finders.batch_size import batch_size as batch_size
from kerasrecipes.finders.batch_size_result import BatchSizeResult as BatchSizeResult
from kerasrecipes.finders.learning_rate import learning_rate as learning_rate
from kerasrecipes.finders.learning_rate_result import LearningRateResult as LearningRateResult
