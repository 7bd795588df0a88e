"""OneCycle."""

import math
from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "1cycle")
class OneCycle(Schedule):
    """Up from a fraction of the peak and down to nearly nothing, in half cosines.

    With step t, total T, peak p, share s of the fit for the rise, R = s T:
        t < R:       eta = p / d + (p - p / d) * (1 - cos(pi * t / R)) / 2
        R <= t < T:  eta = e + (p - e) * (1 + cos(pi * (t - R) / (T - R))) / 2
        t >= T:      eta = e,  where e = p / (d * D)

    Args:
        learning_rate: p, float > 0.
        total: T: updates (int), a share of the fit (float), or "5 epochs". Defaults to None, the
            whole fit.
        rise: s, in (0, 1). Defaults to 0.25.
        start_divisor: d >= 1. Defaults to 25.0.
        end_divisor: D >= 1. Defaults to 1e4.

    Example:
    >>> schedule = OneCycle(1.0, total=100)
    >>> [round(float(schedule(t)), 4) for t in (0, 25, 100)]
    [0.04, 1.0, 0.0]

    Reference: Smith & Topin 2018, arXiv:1708.07120.
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        total: Any = None,
        rise: float = 0.25,
        start_divisor: float = 25.0,
        end_divisor: float = 1e4,
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.total = total
        self._total = duration("total", 1.0 if total is None else total)
        self.rise = check_number("rise", rise, low=0, high=1, open_low=True, open_high=True)
        self.start_divisor = check_number("start_divisor", start_divisor, low=1.0)
        self.end_divisor = check_number("end_divisor", end_divisor, low=1.0)

    @property
    def needs_fit(self) -> bool:
        """Whether the length is relative to the fit."""
        return self._total.is_relative

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        total = ops.maximum(self._total.updates(fit, t.dtype), 1)
        peak, start = self.learning_rate, self.learning_rate / self.start_divisor
        end = start / self.end_divisor
        up = ops.clip(t / (self.rise * total), 0, 1)
        down = ops.clip((t - self.rise * total) / ((1 - self.rise) * total), 0, 1)
        rising = start + (peak - start) * (1 - ops.cos(math.pi * up)) / 2
        falling = end + (peak - end) * (1 + ops.cos(math.pi * down)) / 2
        return ops.where(t < self.rise * total, rising, falling)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "learning_rate": self.learning_rate,
            "total": self.total,
            "rise": self.rise,
            "start_divisor": self.start_divisor,
            "end_divisor": self.end_divisor,
        }
