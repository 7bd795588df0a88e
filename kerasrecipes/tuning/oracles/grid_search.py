"""GridSearch."""

import math
from collections.abc import Sequence
from typing import Any

import keras_tuner
import numpy as np

from kerasrecipes._checks import check_int
from kerasrecipes._export import export
from kerasrecipes.tuning.oracles._fresh import LISTED
from kerasrecipes.tuning.oracles._safe_oracle import SafeOracle, running
from kerasrecipes.tuning.oracles._space import (
    Values,
    choices,
    combinations,
    complete,
    count,
    from_unit,
    key,
    numeric,
)


@export("oracles", "grid", saved=False)
class GridSearch(SafeOracle, keras_tuner.Oracle):
    """Every combination of a few values of each hyperparameter.

    A number with more than `points` values, a continuous one above all, gets `points` of them,
    evenly spaced on its scale, both ends included. Where `max_trials` allows for the whole grid,
    the combinations come in order, the last hyperparameter fastest; else a random subset of them
    is tried, since the first ones would be a corner of the space.

    Takes the arguments of KerasTuner's oracle, and `fingerprint`; `get` describes them.

    Args:
        points: Values of a number, int >= 2. Defaults to 5.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> _ = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    >>> oracle = GridSearch("val_loss", hyperparameters=hp, points=4)
    >>> trials = [oracle.create_trial(f"worker {i}") for i in range(4)]
    >>> [f"{trial.hyperparameters['learning_rate']:g}" for trial in trials]
    ['0.0001', '0.001', '0.01', '0.1']

    Reference: Bergstra & Bengio 2012, JMLR 13:281-305 (on what it lacks).
    """

    def __init__(self, objective: Any = None, *, points: int = 5, **kwargs: Any) -> None:
        self.points = check_int("points", points, low=2)
        self._settings = {"points": points}
        super().__init__(objective, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, as KerasTuner asks for them."""
        space = self.hyperparameters.space
        limit = LISTED if self.max_trials is None else self.max_trials + 1
        if count(space, self.grid, limit) < limit:
            return running(self._next_in_order())
        return running(self._fresh(lambda: complete(space, self._draw), self.grid))

    def grid(self, hp: Any) -> Sequence[Any]:
        """Returns the values of a hyperparameter that are on the grid."""
        found = choices(hp)
        if found is not None and (len(found) <= self.points or not numeric(hp)):
            return found
        last = math.nextafter(1.0, 0.0)
        places = np.linspace(0.0, last, self.points)
        return tuple(dict.fromkeys(from_unit(hp, place) for place in places))

    def _draw(self, hp: Any) -> Any:
        options = self.grid(hp)
        return options[int(self._rng.integers(len(options)))]

    def _next_in_order(self) -> Values | None:
        tried = {key(trial.hyperparameters.values) for trial in self.trials.values()}
        ordered = combinations(self.hyperparameters.space, self.grid)
        return next((values for values in ordered if key(values) not in tried), None)
