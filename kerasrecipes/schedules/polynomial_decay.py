"""PolynomialDecay."""

from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "polynomial", "linear")
class PolynomialDecay(Schedule):
    """Down to a floor along a power of what is left: eta_t = f + (p - f) * (1 - t / T) ** power.

    Step 0 is at p; from step T on, the rate is f.

    Args:
        learning_rate: p, float > 0.
        total: T: updates (int), a share of the fit (float), or "5 epochs". Defaults to None, the
            whole fit.
        power: Float > 0. Defaults to 1.0, linear.
        floor: f, in [0, p]. Defaults to 0.0.

    Example:
    >>> schedule = PolynomialDecay(1.0, total=100, power=2.0)
    >>> [round(float(schedule(t)), 4) for t in (0, 50, 100, 200)]
    [1.0, 0.25, 0.0, 0.0]
    """

    def __init__(
        self, learning_rate: float, *, total: Any = None, power: float = 1.0, floor: float = 0.0
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.total = total
        self._total = duration("total", 1.0 if total is None else total)
        self.power = check_number("power", power, low=0.0, open_low=True)
        self.floor = check_number("floor", floor, low=0.0, high=self.learning_rate)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        left = 1 - ops.clip(t / ops.maximum(self._total.updates(fit, t.dtype), 1), 0, 1)
        return self.floor + (self.learning_rate - self.floor) * left**self.power
