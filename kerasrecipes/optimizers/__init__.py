"""Keras optimizers with clipping, decay and schedules as practice wants them."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.optimizers.adadelta import Adadelta as Adadelta
from kerasrecipes.optimizers.adagrad import Adagrad as Adagrad
from kerasrecipes.optimizers.adam import Adam as Adam
from kerasrecipes.optimizers.adamax import Adamax as Adamax
from kerasrecipes.optimizers.adamw import AdamW as AdamW
from kerasrecipes.optimizers.clipping import Clipping as Clipping
from kerasrecipes.optimizers.identify import get as get
from kerasrecipes.optimizers.nadam import Nadam as Nadam
from kerasrecipes.optimizers.practice_mixin import PracticeMixin as PracticeMixin
from kerasrecipes.optimizers.rmsprop import RMSprop as RMSprop
from kerasrecipes.optimizers.sgd import SGD as SGD
