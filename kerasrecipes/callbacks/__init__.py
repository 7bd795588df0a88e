"""Callbacks for `model.fit`."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.callbacks.activation_monitor import ActivationMonitor as ActivationMonitor
from kerasrecipes.callbacks.average_for_evaluation import (
    AverageForEvaluation as AverageForEvaluation,
)
from kerasrecipes.callbacks.bind_schedule import BindSchedule as BindSchedule
from kerasrecipes.callbacks.callback import Callback as Callback
from kerasrecipes.callbacks.callback_check import CallbackCheck as CallbackCheck
from kerasrecipes.callbacks.callback_check import check_callbacks as check_callbacks
from kerasrecipes.callbacks.checkpoint import Checkpoint as Checkpoint
from kerasrecipes.callbacks.early_stopping import EarlyStopping as EarlyStopping
from kerasrecipes.callbacks.epoch_order import EpochOrder as EpochOrder
from kerasrecipes.callbacks.gradient_log import GradientLog as GradientLog
from kerasrecipes.callbacks.gradient_monitor import GradientMonitor as GradientMonitor
from kerasrecipes.callbacks.gradual_unfreeze import GradualUnfreeze as GradualUnfreeze
from kerasrecipes.callbacks.history_file import HistoryFile as HistoryFile
from kerasrecipes.callbacks.hypergradient import Hypergradient as Hypergradient
from kerasrecipes.callbacks.interrupt import Interrupt as Interrupt
from kerasrecipes.callbacks.learning_rate_log import LearningRateLog as LearningRateLog
from kerasrecipes.callbacks.learning_rate_scheduler import (
    LearningRateScheduler as LearningRateScheduler,
)
from kerasrecipes.callbacks.mlflow_logger import MLflowLogger as MLflowLogger
from kerasrecipes.callbacks.monitor import direction as direction
from kerasrecipes.callbacks.non_finite import NonFinite as NonFinite
from kerasrecipes.callbacks.penalty_log import PenaltyLog as PenaltyLog
from kerasrecipes.callbacks.progress import Progress as Progress
from kerasrecipes.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from kerasrecipes.callbacks.spike_guard import SpikeGuard as SpikeGuard
from kerasrecipes.callbacks.standard import standard as standard
from kerasrecipes.callbacks.tensorboard_logger import TensorBoardLogger as TensorBoardLogger
from kerasrecipes.callbacks.time_budget import TimeBudget as TimeBudget
from kerasrecipes.callbacks.wandb_logger import WandbLogger as WandbLogger
from kerasrecipes.callbacks.weight_averaging import WeightAveraging as WeightAveraging
