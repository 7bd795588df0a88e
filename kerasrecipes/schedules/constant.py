"""Constant."""

from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules")
class Constant(Schedule):
    """The same rate at every update: eta_t = eta.

    Args:
        learning_rate: eta, float > 0.

    Example:
    >>> round(float(Constant(0.5)(100)), 4)
    0.5
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate."""
        return ops.full_like(as_float(step), self.learning_rate)
