"""Keras optimizers with clipping, decay and schedules as practice wants them."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.optimizers.adadelta import Adadelta as Adadelta
from kerasrecipes.optimizers.adagrad import Adagrad as Adagrad
from kerasrecipes.optimizers.adam import Adam as Adam
from kerasrecipes.optimizers.adamax import Adamax as Adamax
from kerasrecipes.optimizers.adamw import AdamW as AdamW
from kerasrecipes.optimizers.clipping import Clipping as Clipping
from kerasrecipes.optimizers.identify import get as get
from kerasrecipes.optimizers.lion import Lion as Lion
from kerasrecipes.optimizers.lookahead import Lookahead as Lookahead
from kerasrecipes.optimizers.loss_scale_optimizer import LossScaleOptimizer as LossScaleOptimizer
from kerasrecipes.optimizers.muon import Muon as Muon
from kerasrecipes.optimizers.nadam import Nadam as Nadam
from kerasrecipes.optimizers.practice_mixin import PracticeMixin as PracticeMixin
from kerasrecipes.optimizers.rate_multipliers import layerwise_decay as layerwise_decay
from kerasrecipes.optimizers.rmsprop import RMSprop as RMSprop
from kerasrecipes.optimizers.sam import SAM as SAM
from kerasrecipes.optimizers.schedule_free_adamw import ScheduleFreeAdamW as ScheduleFreeAdamW
from kerasrecipes.optimizers.sgd import SGD as SGD
