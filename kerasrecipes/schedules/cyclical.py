"""Cyclical."""

from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "triangular")
class Cyclical(Schedule):
    """Triangles: linearly up from a floor to a peak and down again, over and over.

    With step t, cycle C, peak p, floor f, n = floor(t / C) cycles behind it:
        eta_t = f + (p - f) * m ** n * (1 - |2 (t / C - n) - 1|)
    Every cycle begins at f and peaks at its middle; they never end.

    Args:
        learning_rate: p, float > 0.
        cycle: C, up and down: updates (int), a share of the fit (float), or "5 epochs"; > 0.
            Defaults to 0.25, four cycles in a fit.
        floor: f, in [0, p]. Defaults to None, p / 10.
        shrink: m, in (0, 1], the height of a cycle relative to the one before. Defaults to 1.0;
            1/2 is "triangular2".

    Example:
    >>> schedule = Cyclical(1.0, cycle=100, floor=0.2, shrink=0.5)
    >>> [round(float(schedule(t)), 4) for t in (0, 25, 50, 100, 150)]
    [0.2, 0.6, 1.0, 0.2, 0.6]

    Reference: Smith 2017, arXiv:1506.01186.
    """

    _shown_lengths = 4.0

    def __init__(
        self,
        learning_rate: float,
        *,
        cycle: Any = 0.25,
        floor: float | None = None,
        shrink: float = 1.0,
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.cycle = cycle
        self._cycle = duration("cycle", cycle, positive=True)
        floor = self.learning_rate / 10 if floor is None else floor
        self.floor = check_number("floor", floor, low=0.0, high=self.learning_rate)
        self.shrink = check_number("shrink", shrink, low=0.0, high=1.0, open_low=True)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        cycle = ops.maximum(self._cycle.updates(fit, t.dtype), 1)
        share = ops.mod(t, cycle) / cycle
        height = (self.learning_rate - self.floor) * self.shrink ** ops.floor(t / cycle)
        return self.floor + height * (1 - ops.abs(2 * share - 1))
