"""Search methods: KerasTuner oracles that lose nothing, repeat nothing and can be resumed."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.tuning.oracles.bayesian_optimization import (
    BayesianOptimization as BayesianOptimization,
)
from kerasrecipes.tuning.oracles.evolution import Evolution as Evolution
from kerasrecipes.tuning.oracles.grid_search import GridSearch as GridSearch
from kerasrecipes.tuning.oracles.hyperband import Hyperband as Hyperband
from kerasrecipes.tuning.oracles.identify import get as get
from kerasrecipes.tuning.oracles.optuna_oracle import Optuna as Optuna
from kerasrecipes.tuning.oracles.quasi_random import QuasiRandom as QuasiRandom
from kerasrecipes.tuning.oracles.random_search import RandomSearch as RandomSearch
from kerasrecipes.tuning.oracles.zoom import Zoom as Zoom
