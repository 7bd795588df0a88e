"""StepDecay."""

import math
from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "step")
class StepDecay(Schedule):
    """A constant factor at regular intervals: eta_t = eta * r ** floor(t / T).

    Step 0 is at eta, step T the first at r eta; it never ends.

    Args:
        learning_rate: eta, float > 0.
        every: T: updates (int), a share of the fit (float), or "5 epochs"; > 0. Defaults to 1/3:
            two steps within the fit (rounded to whole updates, so that a third may come at its
            last update, or last but one).
        decay_rate: r, in (0, 1]. Defaults to 0.1.

    Example:
    >>> schedule = StepDecay(1.0, every=10, decay_rate=0.5)
    >>> [round(float(schedule(t)), 4) for t in (0, 9, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """

    _shown_lengths = 5.0

    def __init__(
        self, learning_rate: float, *, every: Any = 1 / 3, decay_rate: float = 0.1
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.every = every
        self._every = duration("every", every, positive=True)
        self.decay_rate = check_number("decay_rate", decay_rate, low=0.0, high=1.0, open_low=True)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        steps = ops.floor(t / ops.maximum(self._every.updates(fit, t.dtype), 1))
        return self.learning_rate * ops.exp(math.log(self.decay_rate) * steps)
