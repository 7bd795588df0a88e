"""How the trials of a search are trained, and when it ends."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Self

from kerasrecipes._checks import check_int, check_number
from kerasrecipes.tuning._own import Own

_TRIALS = 30


@dataclasses.dataclass(frozen=True)
class Plan:
    """What `search` was told of the training of each trial; None leaves it to the recipe.

    Attributes:
        epochs: Most epochs of a run; schedules end there.
        patience: Epochs without improvement after which a run ends.
        batch_size: Rows in a batch, where the space has none.
        repeats: Runs of a trial on each fold.
        seed: For all that is random.
    """

    epochs: int | None
    patience: int | None
    batch_size: int | None
    repeats: int
    seed: int

    @classmethod
    def checked(cls, *, seed: Any, repeats: Any, **counts: Any) -> Self:
        """Returns the plan; what is no integer, or too small, is an `InputError`."""
        found = {
            name: None if value is None else check_int(name, value, low=1)
            for name, value in counts.items()
        }
        repeats = check_int("repeats", repeats, low=1)
        return cls(seed=check_int("seed", seed, low=0), repeats=repeats, **found)

    def filled(self, own: Own, names: Sequence[str]) -> Self:
        """Returns the plan with what the recipe suggests for those named that it leaves open."""
        found = {name: getattr(self, name) or getattr(own, name) for name in names}
        return dataclasses.replace(self, **found)


def limits(trials: Any, seconds: Any, method: Any) -> tuple[int | None, float]:
    """Returns after how many trials and seconds a search ends; 30 trials if nothing says.

    A method that is an oracle, not a name, has its own number of trials.
    """
    ends = not isinstance(method, str) or method in ("grid", "hyperband")
    if trials is None and seconds is None and not ends:
        trials = _TRIALS
    if trials is not None:
        check_int("trials", trials, low=1)
    if seconds is None:
        return trials, math.inf
    return trials, check_number("seconds", seconds, low=0.0, open_low=True)
