"""Zoom."""

import math
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial

from kerasrecipes._checks import check_int, check_number
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed
from kerasrecipes.tuning.oracles._safe_oracle import SafeOracle, running
from kerasrecipes.tuning.oracles._sequence import sobol
from kerasrecipes.tuning.oracles._space import (
    Values,
    choices,
    complete,
    from_unit,
    numeric,
    to_unit,
)


@export("oracles", saved=False)
class Zoom(SafeOracle, keras_tuner.Oracle):
    """Values over the whole range, then round by round around the best: zooming in by itself.

    The first round fills the space evenly (a scrambled Sobol sequence, log-spaced where the
    hyperparameter is). In each later round the range of every number is 1 / `factor` as wide as in
    the round before, on its scale, around the value of the best trial so far, and shifted where it
    would leave the original range. Where numbers keep the part w of their range, a category of K
    values keeps the ceil(K * sqrt(w)) that did best in their best trial. A trial that comes while
    others run uses what is known by then.

    Takes the arguments of KerasTuner's oracle, and `fingerprint`; `get` describes them.

    Args:
        rounds: Rounds with a range of their own, int >= 1; the last goes on for as long as the
            search does. Defaults to 4.
        factor: How much narrower each round is, float > 1. Defaults to 2.0.
        round_trials: Trials of a round, int >= 1, or None for `max_trials` in equal parts, and 12
            if there is none. Defaults to None.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> _ = hp.Float("learning_rate", 1e-5, 1.0, sampling="log")
    >>> oracle = Zoom("val_loss", max_trials=20, hyperparameters=hp, seed=0)
    >>> for _ in range(20):
    ...     trial = oracle.create_trial("worker")
    ...     loss = np.log10(trial.hyperparameters["learning_rate"] / 3e-3) ** 2
    ...     _ = oracle.update_trial(trial.trial_id, {"val_loss": loss})
    ...     trial.status = "COMPLETED"
    ...     oracle.end_trial(trial)
    >>> [best] = oracle.get_best_trials()
    >>> f"{best.hyperparameters['learning_rate']:.0e}"
    '3e-03'

    Reference: Bengio 2012, arXiv:1206.5533 (section 3.3.3, coarse to fine).
    """

    def __init__(
        self,
        objective: Any = None,
        *,
        rounds: int = 4,
        factor: float = 2.0,
        round_trials: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.rounds = check_int("rounds", rounds, low=1)
        self.factor = check_number("factor", factor, low=1.0, open_low=True)
        if round_trials is not None:
            check_int("round_trials", round_trials, low=1)
        self.round_trials = round_trials
        self._settings = {"rounds": rounds, "factor": factor, "round_trials": round_trials}
        super().__init__(objective, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, as KerasTuner asks for them."""
        return running(self._next(int(trial_id)))

    def _next(self, number: int) -> Values | None:
        length = self.round_trials or -(-(self.max_trials or 12 * self.rounds) // self.rounds)
        round_number = min(number // length, self.rounds - 1)
        ranked = sorted(self._completed(), key=self._loss)
        width = self.factor**-round_number if ranked else 1.0
        space = self.hyperparameters.space
        seed = child_seed(self.seed, "zoom", round_number) or 0
        points = iter(sobol(len(space), seed, first=number - round_number * length, number=64))

        def propose() -> Values:
            place = dict(zip(map(id, space), self._grouped(next(points)), strict=True))
            return complete(space, lambda hp: self._within(hp, place[id(hp)], ranked, width))

        return self._fresh(propose)

    def _within(self, hp: Any, place: float, ranked: list[Trial], width: float) -> Any:
        """Returns the value at a place within the present range of a hyperparameter."""
        had = [t.hyperparameters.values for t in ranked if hp.name in t.hyperparameters.values]
        if width == 1.0 or not had:
            return from_unit(hp, place)
        if numeric(hp):
            return from_unit(hp, window(to_unit(hp, had[0][hp.name]), width, place))
        by_best = list(dict.fromkeys([*(values[hp.name] for values in had), *(choices(hp) or ())]))
        kept = by_best[: math.ceil(len(by_best) * math.sqrt(width))]
        return kept[int(place * len(kept))]


def window(centre: float, width: float, place: float) -> float:
    """Returns the point at `place` of a range in [0, 1] that lies about `centre`.

    Example:
    >>> window(0.5, 0.2, 0.0), window(0.95, 0.2, 1.0)
    (0.4, 1.0)
    """
    low = float(np.clip(centre - width / 2, 0.0, 1.0 - width))
    return low + width * float(place)
