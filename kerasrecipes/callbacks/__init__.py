"""Callbacks for `model.fit`."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.callbacks.average_for_evaluation import (
    AverageForEvaluation as AverageForEvaluation,
)
from kerasrecipes.callbacks.bind_schedule import BindSchedule as BindSchedule
from kerasrecipes.callbacks.callback import Callback as Callback
from kerasrecipes.callbacks.checkpoint import Checkpoint as Checkpoint
from kerasrecipes.callbacks.early_stopping import EarlyStopping as EarlyStopping
from kerasrecipes.callbacks.epoch_order import EpochOrder as EpochOrder
from kerasrecipes.callbacks.gradient_log import GradientLog as GradientLog
from kerasrecipes.callbacks.interrupt import Interrupt as Interrupt
from kerasrecipes.callbacks.learning_rate_log import LearningRateLog as LearningRateLog
from kerasrecipes.callbacks.monitor import direction as direction
from kerasrecipes.callbacks.penalty_log import PenaltyLog as PenaltyLog
from kerasrecipes.callbacks.progress import Progress as Progress
from kerasrecipes.callbacks.standard import standard as standard
