"""FlatCosine."""

import math
from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import check_within, duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "flat_cos")
class FlatCosine(Schedule):
    """Constant, then half a cosine down to a floor.

    With step t, flat part F, total T, peak p, floor f:
        t < F:       eta = p
        F <= t < T:  eta = f + (p - f) * (1 + cos(pi * (t - F) / (T - F))) / 2
        t >= T:      eta = f

    Args:
        learning_rate: p, float > 0.
        total: T: updates (int), a share of the fit (float), or "5 epochs". Defaults to None, the
            whole fit.
        flat: F: updates (int), a share of `total` (float), or "5 epochs". Defaults to 0.5.
        floor: f, in [0, p]. Defaults to 0.0.

    Example:
    >>> schedule = FlatCosine(1.0, total=100)
    >>> [round(float(schedule(t)), 4) for t in (0, 50, 75, 100, 200)]
    [1.0, 1.0, 0.5, 0.0, 0.0]

    Reference: Holzmueller et al. 2024, arXiv:2407.04491 ("flat_cos").
    """

    def __init__(
        self, learning_rate: float, *, total: Any = None, flat: Any = 0.5, floor: float = 0.0
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.total = total
        self._total = duration("total", 1.0 if total is None else total)
        self.flat = flat
        self._flat = duration("flat", flat, of=self._total)
        check_within(self._total, flat=self._flat)
        self.floor = check_number("floor", floor, low=0.0, high=self.learning_rate)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        total, flat = (each.updates(fit, t.dtype) for each in (self._total, self._flat))
        share = ops.clip((t - flat) / ops.maximum(total - flat, 1), 0, 1)
        falling = (1 + ops.cos(math.pi * share)) / 2
        return self.floor + (self.learning_rate - self.floor) * falling
