"""One training of a trial."""

import dataclasses
import math
import traceback
from collections.abc import Mapping
from typing import Any


def failure(error: Exception) -> str:
    """Returns what a failed run says: the error in the first lines, then where it came from."""
    what = f"{type(error).__name__}: {str(error).strip()}"
    return f"{what}\n\n{''.join(traceback.format_exception(error))}"


@dataclasses.dataclass(eq=False)
class Run:
    """A training of a trial on one fold with one seed, and how it has gone so far.

    Attributes:
        trial_id: The trial.
        fold: Number of the fold.
        seed: Of the weights, of dropout and of the order of rows.
        model: Arguments of the recipe, without the seed.
        batch_size: Rows in a batch.
        epochs: Epochs after which the schedule ends.
        until: Epoch after which this run ends, at most `epochs`.
        patience: Epochs without improvement before it stops.
        direction: "min" or "max".
        is_first_guess: Whether it has the default of each hyperparameter. All others are measured
            against it, so it is never pruned.
        curve: Objective of each epoch so far.
        best: The best finite one.
        best_epoch: Its epoch, from 1.
        ending: Why it ended, "" while it runs.
        state: What it needs to go on later, where that was asked for.
        weights: Weights of the best epoch.
        adapted: By how much rate and decay were multiplied at the best epoch, by name, where the
            run adapts them.
        error: How it failed, "" if it did not.
    """

    trial_id: str
    fold: int
    seed: int
    model: Mapping[str, Any]
    batch_size: int
    epochs: int
    until: int
    patience: int
    direction: str
    is_first_guess: bool = False
    curve: list[float] = dataclasses.field(default_factory=list)
    best: float | None = None
    best_epoch: int = 0
    ending: str = ""
    state: Any = None
    weights: list[Any] | None = None
    adapted: dict[str, float] = dataclasses.field(default_factory=dict)
    error: str = ""

    def going_on_from(self, other: "Run") -> "Run":
        """Returns this run with what another has done of it."""
        done = ("curve", "best", "best_epoch", "state", "weights", "adapted")
        return dataclasses.replace(self, **{name: getattr(other, name) for name in done})

    def report(self, value: float) -> bool:
        """Notes the objective of the next epoch; returns whether it is the best so far."""
        self.curve = [*self.curve, value]
        improved = math.isfinite(value) and (self.best is None or self._is_better(value, self.best))
        if improved:
            self.best, self.best_epoch = value, len(self.curve)
        if not math.isfinite(value):
            self.ending = "not finite"
        elif len(self.curve) >= self.until:
            self.ending = "all epochs"
        elif len(self.curve) - self.best_epoch >= self.patience:
            self.ending = "patience"
        return improved

    def _is_better(self, value: float, other: float) -> bool:
        return value > other if self.direction == "max" else value < other
