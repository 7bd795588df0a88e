"""From the name of a method to an oracle."""

from collections.abc import Mapping
from typing import Any

import keras_tuner

from kerasrecipes._checks import check_choice, check_int, fail
from kerasrecipes._export import bind
from kerasrecipes.tuning.oracles._safe_oracle import SafeOracle, as_objective
from kerasrecipes.tuning.oracles._space import describe
from kerasrecipes.tuning.oracles.bayesian_optimization import BayesianOptimization
from kerasrecipes.tuning.oracles.evolution import Evolution
from kerasrecipes.tuning.oracles.grid_search import GridSearch
from kerasrecipes.tuning.oracles.hyperband import Hyperband
from kerasrecipes.tuning.oracles.optuna_oracle import Optuna
from kerasrecipes.tuning.oracles.quasi_random import QuasiRandom
from kerasrecipes.tuning.oracles.random_search import RandomSearch
from kerasrecipes.tuning.oracles.zoom import Zoom

_OF_SEARCH = ("together", "shared", "first_guess")  # which an oracle that is made may be without

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
    method: str | SafeOracle,
    *,
    objective: Any,
    hyperparameters: keras_tuner.HyperParameters,
    trials: int | None = None,
    seed: int | None = None,
    fingerprint: Mapping[str, Any] | None = None,
    epochs: int = 100,
    **options: Any,
) -> SafeOracle:
    """Returns the oracle of a search method.

    Args:
        method: "random", "grid", "quasi_random", "bayesian", "hyperband", "evolution", "zoom" or
            "optuna"; or an oracle of this package, or of a subclass, with this objective and
            these hyperparameters, which is returned.
        objective: `keras_tuner.Objective`, or the name of a metric that has a known direction.
        hyperparameters: The search space, complete: a model cannot add to it.
        trials: Trials after which the search stops, int >= 1, or None. Defaults to None.
        seed: Int >= 0, or None for a random one. Defaults to None.
        fingerprint: Dict of what the scores depend on; see `open_project`. Defaults to None.
        epochs: Epochs of the longest trials of "hyperband", int >= 1. Defaults to 100.
        **options: Further arguments of the oracle, such as `points` of "grid".

    Raises: InputError for an unknown method or option, and for an oracle of another search.

    Example:
    >>> space = keras_tuner.HyperParameters()
    >>> _ = space.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    >>> oracle = get("zoom", objective="val_loss", hyperparameters=space, trials=20, seed=0)
    >>> type(oracle).__name__, oracle.max_trials
    ('Zoom', 20)
    """
    if not isinstance(method, str):
        return _checked(method, objective, hyperparameters, trials, fingerprint, options)
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


def _checked(
    oracle: Any,
    objective: Any,
    hyperparameters: keras_tuner.HyperParameters,
    trials: int | None,
    fingerprint: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> SafeOracle:
    """Returns an oracle that is made already, if it is one for this search."""
    if not isinstance(oracle, SafeOracle):
        names = f"one of {', '.join(map(repr, METHODS))}, or an oracle"
        remedy = "KerasTuner's own oracles lack what a search needs to go on after it was killed."
        fail("method", f"{names} of kerasrecipes.tuning.oracles", oracle, remedy)
    if str(oracle.objective) != str(as_objective(objective)):
        wanted = f"an oracle for the objective {as_objective(objective)}"
        fail("method", wanted, oracle.objective, "Give the search its `metric` too.")
    if describe(oracle.hyperparameters.space) != describe(hyperparameters.space):
        remedy = "Make it with hyperparameters=space.hyperparameters(), and give `space` too."
        fail("method", "an oracle for the space that is searched", oracle, remedy)
    given = options if trials is None else {"trials": trials, **options}
    for name, value in given.items():
        if name not in _OF_SEARCH:
            fail(name, "left out where `method` is an oracle, which has its own", value)
    oracle.belongs_to(fingerprint or {})
    return oracle
