"""InverseDecay."""

from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "inverse", "inverse_time")
class InverseDecay(Schedule):
    """The classical decay of stochastic approximation: eta_t = eta / (1 + k t / T) ** power.

    Step 0 is at eta; it never ends. With k > 0 and a power in (1/2, 1] it meets the conditions
    of Robbins and Monro; 1/2 is the inverse square root.

    Args:
        learning_rate: eta, float > 0.
        decay: k, float >= 0. Defaults to 1.0.
        every: T, the unit of time: updates (int), a share of the fit (float), or "5 epochs";
            > 0. Defaults to "1 epoch".
        power: Float > 0. Defaults to 1.0.

    Example:
    >>> schedule = InverseDecay(1.0, decay=0.1, every=1)
    >>> [round(float(schedule(t)), 4) for t in (0, 10, 90)]
    [1.0, 0.5, 0.1]

    Reference: Robbins & Monro 1951, Annals of Mathematical Statistics 22(3).
    """

    _shown_lengths = 10.0

    def __init__(
        self,
        learning_rate: float,
        *,
        decay: float = 1.0,
        every: Any = "1 epoch",
        power: float = 1.0,
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.decay = check_number("decay", decay, low=0.0)
        self.every = every
        self._every = duration("every", every, positive=True)
        self.power = check_number("power", power, low=0.0, open_low=True)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        time = t / ops.maximum(self._every.updates(fit, t.dtype), 1)
        return self.learning_rate / (1 + self.decay * time) ** self.power
