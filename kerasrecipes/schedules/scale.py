"""Scale."""

from typing import Any

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.part import momentum_at, part, rate_at
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules")
class Scale(Schedule):
    """Any schedule times a constant: eta_t = c * eta_t of the schedule. Momentum stays.

    Args:
        schedule: Schedule of this package or of Keras, or a constant rate.
        factor: c, float >= 0.

    Example:
    >>> round(float(Scale(0.5, factor=0.1)(0)), 4)
    0.05
    """

    def __init__(self, schedule: Any, *, factor: float) -> None:
        self.schedule = part("schedule", schedule)
        self.factor = check_number("factor", factor, low=0.0)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        return self.factor * rate_at(self.schedule, as_float(step), fit)

    def momentum_at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the schedule's momentum."""
        return momentum_at(self.schedule, as_float(step), fit)
