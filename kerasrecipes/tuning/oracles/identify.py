"""From the name of a method to an oracle."""

from collections.abc import Mapping
from typing import Any

import keras_tuner

from kerasrecipes._checks import check_choice, check_int
from kerasrecipes._export import bind
from kerasrecipes.tuning.oracles.bayesian_optimization import BayesianOptimization
from kerasrecipes.tuning.oracles.evolution import Evolution
from kerasrecipes.tuning.oracles.grid_search import GridSearch
from kerasrecipes.tuning.oracles.hyperband import Hyperband
from kerasrecipes.tuning.oracles.optuna_oracle import Optuna
from kerasrecipes.tuning.oracles.quasi_random import QuasiRandom
from kerasrecipes.tuning.oracles.random_search import RandomSearch
from kerasrecipes.tuning.oracles.zoom import Zoom

METHODS = {
    "random": RandomSearch,
    "grid": GridSearch,
    "quasi_random": QuasiRandom,
    "bayesian": BayesianOptimization,
    "hyperband": Hyperband,
    "evolution": Evolution,
    "zoom": Zoom,
    "optuna": Optuna,
}


def get(
    method: str | keras_tuner.Oracle,
    *,
    objective: Any,
    hyperparameters: keras_tuner.HyperParameters,
    trials: int | None = None,
    seed: int | None = None,
    fingerprint: Mapping[str, Any] | None = None,
    epochs: int = 100,
    **options: Any,
) -> keras_tuner.Oracle:
    """Returns the oracle of a search method.

    Args:
        method: "random", "grid", "quasi_random", "bayesian", "hyperband", "evolution", "zoom" or
            "optuna"; or an oracle of KerasTuner's, which is returned as it is.
        objective: `keras_tuner.Objective`, or the name of a metric that has a known direction.
        hyperparameters: The search space, complete: a model cannot add to it.
        trials: Trials after which the search stops, int >= 1, or None. Defaults to None.
        seed: Int >= 0, or None for a random one. Defaults to None.
        fingerprint: Dict of what the scores depend on; see `open_project`. Defaults to None.
        epochs: Epochs of the longest trials of "hyperband", int >= 1. Defaults to 100.
        **options: Further arguments of the oracle, such as `points` of "grid".

    Raises: InputError for an unknown method or option.

    Example:
    >>> space = keras_tuner.HyperParameters()
    >>> _ = space.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    >>> oracle = get("zoom", objective="val_loss", hyperparameters=space, trials=20, seed=0)
    >>> type(oracle).__name__, oracle.max_trials
    ('Zoom', 20)
    """
    if isinstance(method, keras_tuner.Oracle):
        return method
    oracle = METHODS[check_choice("method", method, METHODS)]
    if oracle is Hyperband:
        options = {"max_epochs": check_int("epochs", epochs, low=1), **options}
        options.setdefault("hyperband_iterations", None if trials else 1)
    common = {
        "objective": objective,
        "max_trials": trials,
        "hyperparameters": hyperparameters,
        "seed": seed,
        "fingerprint": fingerprint,
    }
    return bind("options", oracle, {**common, **options})
