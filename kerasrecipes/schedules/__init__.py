"""Learning-rate schedules: closed forms of the optimizer's update count."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.schedules.constant import Constant as Constant
from kerasrecipes.schedules.cosine import Cosine as Cosine
from kerasrecipes.schedules.duration import Duration as Duration
from kerasrecipes.schedules.identify import get as get
from kerasrecipes.schedules.one_cycle import OneCycle as OneCycle
from kerasrecipes.schedules.schedule import FitLength as FitLength
from kerasrecipes.schedules.schedule import Schedule as Schedule
