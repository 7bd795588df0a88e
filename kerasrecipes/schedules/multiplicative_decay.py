"""MultiplicativeDecay."""

import math
from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "multiplicative")
class MultiplicativeDecay(Schedule):
    """A factor for each unit of time: eta_t = alpha * eta_(t - T) = eta * alpha ** (t / T).

    Between multiples of T the rate falls smoothly (`StepDecay` is the staircase). Step 0 is at
    eta; it never ends.

    Args:
        learning_rate: eta, float > 0.
        decay_rate: alpha, in (0, 1]. Defaults to 0.95.
        every: T: updates (int), a share of the fit (float), or "5 epochs"; > 0. Defaults to
            "1 epoch".

    Example:
    >>> schedule = MultiplicativeDecay(1.0, decay_rate=0.5, every=10)
    >>> [round(float(schedule(t)), 4) for t in (0, 5, 10, 20)]
    [1.0, 0.7071, 0.5, 0.25]
    """

    _shown_lengths = 5.0

    def __init__(
        self, learning_rate: float, *, decay_rate: float = 0.95, every: Any = "1 epoch"
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.decay_rate = check_number("decay_rate", decay_rate, low=0.0, high=1.0, open_low=True)
        self.every = every
        self._every = duration("every", every, positive=True)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        time = t / ops.maximum(self._every.updates(fit, t.dtype), 1)
        return self.learning_rate * ops.exp(math.log(self.decay_rate) * time)
