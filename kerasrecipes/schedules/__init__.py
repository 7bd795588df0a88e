"""Learning-rate schedules: closed forms of the optimizer's update count."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.schedules.constant import Constant as Constant
from kerasrecipes.schedules.cos_log import CosLog as CosLog
from kerasrecipes.schedules.cosine import Cosine as Cosine
from kerasrecipes.schedules.cosine_restarts import CosineRestarts as CosineRestarts
from kerasrecipes.schedules.cyclical import Cyclical as Cyclical
from kerasrecipes.schedules.duration import Duration as Duration
from kerasrecipes.schedules.duration import FitLength as FitLength
from kerasrecipes.schedules.duration import epochs as epochs
from kerasrecipes.schedules.exponential_decay import ExponentialDecay as ExponentialDecay
from kerasrecipes.schedules.flat_cosine import FlatCosine as FlatCosine
from kerasrecipes.schedules.identify import get as get
from kerasrecipes.schedules.inverse_decay import InverseDecay as InverseDecay
from kerasrecipes.schedules.multiplicative_decay import MultiplicativeDecay as MultiplicativeDecay
from kerasrecipes.schedules.one_cycle import OneCycle as OneCycle
from kerasrecipes.schedules.piecewise import Piecewise as Piecewise
from kerasrecipes.schedules.polynomial_decay import PolynomialDecay as PolynomialDecay
from kerasrecipes.schedules.robbins_monro import RobbinsMonro as RobbinsMonro
from kerasrecipes.schedules.robbins_monro import robbins_monro as robbins_monro
from kerasrecipes.schedules.scale import Scale as Scale
from kerasrecipes.schedules.schedule import Schedule as Schedule
from kerasrecipes.schedules.step_decay import StepDecay as StepDecay
from kerasrecipes.schedules.then import Then as Then
from kerasrecipes.schedules.warm_up import WarmUp as WarmUp
from kerasrecipes.schedules.warmup_stable_decay import WarmupStableDecay as WarmupStableDecay
