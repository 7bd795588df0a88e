"""Evolution."""

from typing import Any

import keras_tuner
import numpy as np

from kerasrecipes._checks import check_int, fail
from kerasrecipes._export import export
from kerasrecipes.tuning.oracles._safe_oracle import SafeOracle, running
from kerasrecipes.tuning.oracles._space import (
    Values,
    active,
    choices,
    complete,
    contains,
    from_unit,
    numeric,
    to_unit,
)

_REACH = 0.15


@export("oracles", saved=False)
class Evolution(SafeOracle, keras_tuner.Oracle):
    """Regularised evolution: the best of a few changes in one place, and the oldest dies.

    Random values until `population` trials are complete. Then each new trial is a child: of the
    `population` youngest completed trials, `tournament` are drawn, the best of them is the parent,
    and one hyperparameter is changed: a number moves by a normal step with a standard deviation of
    0.15 of its range on its scale, a category takes another value. What becomes active by that gets
    random values; what no longer is, goes. However good, a trial leaves the population by age,
    which keeps one lucky score from ruling the search. Failed trials never enter it.

    Takes the arguments of KerasTuner's oracle, and `fingerprint`; `get` describes them.

    Args:
        population: Trials that can be parents, int >= 2. Defaults to 10.
        tournament: Trials that are compared for a parent, int from 1 to `population`. Defaults
            to 4.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> _ = hp.Float("x", 0.0, 1.0)
    >>> oracle = Evolution("val_loss", max_trials=40, hyperparameters=hp, seed=0)
    >>> for _ in range(40):
    ...     trial = oracle.create_trial("worker")
    ...     loss = (trial.hyperparameters["x"] - 0.3) ** 2
    ...     _ = oracle.update_trial(trial.trial_id, {"val_loss": loss})
    ...     trial.status = "COMPLETED"
    ...     oracle.end_trial(trial)
    >>> [best] = oracle.get_best_trials()
    >>> abs(best.hyperparameters["x"] - 0.3) < 0.02
    True

    Reference: Real et al. 2019, arXiv:1802.01548.
    """

    def __init__(
        self, objective: Any = None, *, population: int = 10, tournament: int = 4, **kwargs: Any
    ) -> None:
        self.population = check_int("population", population, low=2)
        self.tournament = check_int("tournament", tournament, low=1)
        if tournament > population:
            fail("tournament", f"an integer from 1 to population={population}", tournament)
        self._settings = {"population": population, "tournament": tournament}
        super().__init__(objective, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, as KerasTuner asks for them."""
        return running(self._fresh(self._child))

    def _child(self) -> Values:
        alive = self._completed()[-self.population :]
        if len(alive) < self.population or not self._tuned():
            return self._random()
        drawn = self._rng.choice(len(alive), size=self.tournament, replace=False)
        parent = min((alive[i] for i in sorted(drawn)), key=self._loss)
        return self._mutated(parent.hyperparameters.values)

    def _mutated(self, parent: Values) -> Values:
        can = [hp for hp in self._tuned() if active(hp, parent) and hp.name in parent]
        changed = can[self._rng.integers(len(can))]

        def pick(hp: Any) -> Any:
            if hp is changed:
                return self._changed(hp, parent[hp.name])
            if hp.name in parent and contains(hp, parent[hp.name]):
                return parent[hp.name]
            return from_unit(hp, self._rng.random())

        return complete(self.hyperparameters.space, pick)

    def _changed(self, hp: Any, value: Any) -> Any:
        found = choices(hp)
        others = None if found is None else [each for each in found if each != value]
        if others is not None and (not numeric(hp) or len(others) <= 2):
            return others[self._rng.integers(len(others))] if others else value
        return from_unit(hp, reflected(to_unit(hp, value) + _REACH * self._rng.normal()))


def reflected(place: float) -> float:
    """Returns a place that left [0, 1] as if the ends were mirrors."""
    return float(1.0 - np.abs(1.0 - np.abs(place) % 2.0))
