"""Rules that stop a trial early, from the curves of the trials before it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasrecipes._checks import check_choice, check_int
from kerasrecipes._export import bind, export


class Pruner:
    """What the rules share: the curves, turned so that lower is better.

    Args:
        direction: "min" or "max", whichever is better.
    """

    def __init__(self, direction: str = "min") -> None:
        self.direction = check_choice("direction", direction, ("min", "max"))
        self._curves: dict[str, dict[int, float]] = {}

    def stops(self, trial_id: str, epoch: int, value: float) -> bool:
        """Records a value and says whether the trial should stop now.

        Args:
            trial_id: Name of the trial.
            epoch: From 1. A second value of an epoch, as of a trial that is run again, replaces
                the first.
            value: Of the objective at this epoch. NaN and infinity stop the trial at once, and are
                not compared with.
        """
        check_int("epoch", epoch, low=1)
        if not math.isfinite(value):
            return True
        curve = self._curves.setdefault(trial_id, {})
        curve[epoch] = -float(value) if self.direction == "max" else float(value)
        return self._is_poor(trial_id, epoch)

    def _is_poor(self, trial_id: str, epoch: int) -> bool:
        raise NotImplementedError

    def _until(self, trial_id: str, epoch: int) -> list[float]:
        """Returns the values of a trial up to an epoch, if it has come so far; else none."""
        curve = self._curves[trial_id]
        return [curve[e] for e in sorted(curve) if e <= epoch] if max(curve) >= epoch else []

    def state_dict(self) -> dict[str, Any]:
        """Returns all that has been recorded, of types that JSON has."""
        curves = {name: sorted(curve.items()) for name, curve in self._curves.items()}
        return {"curves": {name: [list(each) for each in c] for name, c in curves.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` returned."""
        self._curves = {
            name: {int(epoch): float(value) for epoch, value in curve}
            for name, curve in state["curves"].items()
        }


@export("pruning", "median", saved=False)
class MedianStopping(Pruner):
    """Stops a trial that is worse than half of the others were by then.

    At epoch e a trial stops if its best value so far is worse than the median, over the other
    trials that have come to epoch e, of the mean of their values up to e.

    Args:
        direction: "min" or "max", whichever is better. Defaults to "min".
        warmup_epochs: Epochs of a trial that are not judged, int >= 0. Defaults to 3.
        warmup_trials: Other trials that must have come to the epoch, int >= 1. Defaults to 5.

    Example:
    >>> pruner = MedianStopping(warmup_epochs=0, warmup_trials=1)
    >>> [pruner.stops("0", epoch, loss) for epoch, loss in ((1, 0.8), (2, 0.4))]
    [False, False]
    >>> [pruner.stops("1", epoch, loss) for epoch, loss in ((1, 0.7), (2, 0.65))]
    [False, True]

    Reference: Golovin et al. 2017, doi:10.1145/3097983.3098043 (Google Vizier, section 3.2.2).
    """

    def __init__(
        self, direction: str = "min", *, warmup_epochs: int = 3, warmup_trials: int = 5
    ) -> None:
        super().__init__(direction)
        self.warmup_epochs = check_int("warmup_epochs", warmup_epochs, low=0)
        self.warmup_trials = check_int("warmup_trials", warmup_trials, low=1)

    def _is_poor(self, trial_id: str, epoch: int) -> bool:
        others = [self._until(name, epoch) for name in self._curves if name != trial_id]
        means = [float(np.mean(values)) for values in others if values]
        if epoch <= self.warmup_epochs or len(means) < self.warmup_trials:
            return False
        return min(self._until(trial_id, epoch)) > float(np.median(means))


@export("pruning", saved=False)
class SuccessiveHalving(Pruner):
    """Lets the best part of the trials pass each rung; asynchronous, so that none waits.

    Rungs are at `min_epochs` * `factor`^k epochs, k = 0, 1, 2, ... A trial that comes to a rung
    goes on if its best value so far is among the best max(1, floor(n / `factor`)) of the n trials
    that have come there, itself included. Ties go to the one that came first.

    Args:
        direction: "min" or "max", whichever is better. Defaults to "min".
        factor: Of so many trials one passes a rung, int >= 2. Defaults to 3.
        min_epochs: Epoch of the first rung, int >= 1; the first epochs say little, of small rates
            above all. Defaults to 3.

    Example:
    >>> pruner = SuccessiveHalving(factor=2, min_epochs=1)
    >>> [pruner.stops(name, 1, loss) for name, loss in (("0", 0.5), ("1", 0.6), ("2", 0.4))]
    [False, True, False]
    >>> pruner.stops("0", 2, 0.3), pruner.stops("2", 2, 0.4)
    (False, True)

    Reference: Li et al. 2020, arXiv:1810.05934 (ASHA, as a rule that stops).
    """

    def __init__(self, direction: str = "min", *, factor: int = 3, min_epochs: int = 3) -> None:
        super().__init__(direction)
        self.factor = check_int("factor", factor, low=2)
        self.min_epochs = check_int("min_epochs", min_epochs, low=1)

    def _is_poor(self, trial_id: str, epoch: int) -> bool:
        if not self._is_rung(epoch):
            return False
        here = {name: self._until(name, epoch) for name in self._curves}
        best = {name: min(values) for name, values in here.items() if values}
        passing = sorted(best, key=lambda name: best[name])[: max(1, len(best) // self.factor)]
        return trial_id not in passing

    def _is_rung(self, epoch: int) -> bool:
        rung = self.min_epochs
        while rung < epoch:
            rung *= self.factor
        return rung == epoch


RULES = {"median": MedianStopping, "successive_halving": SuccessiveHalving}


def get(pruning: str | Pruner | None, direction: str, **options: Any) -> Pruner | None:
    """Returns the pruner of that name, "median" or "successive_halving"; or the one given.

    Example:
    >>> get("median", "max", warmup_trials=2).warmup_trials
    2
    """
    if pruning is None or isinstance(pruning, Pruner):
        return pruning
    factory = RULES[check_choice("pruning", pruning, RULES)]
    return bind("options", factory, {"direction": direction, **options})
