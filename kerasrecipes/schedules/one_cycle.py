"""OneCycle."""

import math
from typing import Any

from keras import ops

from kerasrecipes._checks import check_choice, check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "1cycle")
class OneCycle(Schedule):
    """Up from a fraction of the peak and down to nearly nothing, in half cosines or straight.

    With step t, total T, peak p, share s of the total for the rise, R = s T:
        t < R:       eta = p / d + (p - p / d) * (1 - cos(pi * t / R)) / 2
        R <= t < T:  eta = e + (p - e) * (1 + cos(pi * (t - R) / (T - R))) / 2
        t >= T:      eta = e,  where e = p / (d * D)
    With the shape "linear", both ways are straight lines instead. Momentum (or beta_1) goes the
    other way in the same shape, `momentum_at`: from its maximum at step 0 to its base at R, and
    back at T, where it stays. PyTorch reaches both ends one update
    earlier: its OneCycleLR(total_steps=N, pct_start=s) is this with total N - 1 and rise
    (s N - 1) / (N - 1).

    Args:
        learning_rate: p, float > 0.
        total: T: updates (int), a share of the fit (float), or "5 epochs". Defaults to None, the
            whole fit.
        rise: s, in (0, 1), of `total`. Defaults to 0.25.
        start_divisor: d >= 1. Defaults to 25.0.
        end_divisor: D >= 1. Defaults to 1e4.
        base_momentum: Least momentum, in [0, max_momentum]. Defaults to 0.85.
        max_momentum: Greatest momentum, in [0, 1), or None to leave the momentum to the optimizer.
            Defaults to 0.95.
        shape: "cosine" or "linear". Defaults to "cosine".

    Example:
    >>> schedule = OneCycle(1.0, total=100)
    >>> [round(float(schedule(t)), 4) for t in (0, 25, 100)]
    [0.04, 1.0, 0.0]
    >>> [round(float(schedule.momentum_at(t, None)), 4) for t in (0, 25, 100)]
    [0.95, 0.85, 0.95]

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
        base_momentum: float = 0.85,
        max_momentum: float | None = 0.95,
        shape: str = "cosine",
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.total = total
        self._total = duration("total", 1.0 if total is None else total)
        self.rise = check_number("rise", rise, low=0, high=1, open_low=True, open_high=True)
        self.start_divisor = check_number("start_divisor", start_divisor, low=1.0)
        self.end_divisor = check_number("end_divisor", end_divisor, low=1.0)
        self.max_momentum = self.base_momentum = None
        if max_momentum is not None:
            self.max_momentum = check_number(
                "max_momentum", max_momentum, low=0.0, high=1.0, open_high=True
            )
            self.base_momentum = check_number(
                "base_momentum", base_momentum, low=0.0, high=self.max_momentum
            )
        self.shape = check_choice("shape", shape, _SHAPES)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        start = self.learning_rate / self.start_divisor
        return self._there_and_back(step, fit, start, self.learning_rate, start / self.end_divisor)

    def momentum_at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the momentum (or beta_1) after `step` updates."""
        high, low = self.max_momentum, self.base_momentum
        if high is None or low is None:
            return None
        return self._there_and_back(step, fit, high, low, high)

    def _there_and_back(
        self, step: Any, fit: FitLength | None, start: float, turn: float, end: float
    ) -> Any:
        t = as_float(step)
        total = ops.maximum(self._total.updates(fit, t.dtype), 1)
        top = self.rise * total
        shape = _SHAPES[self.shape]
        there = shape(ops.clip(t / top, 0, 1))
        back = 1 - shape(ops.clip((t - top) / (total - top), 0, 1))
        return ops.where(t < top, start + (turn - start) * there, end + (turn - end) * back)


_SHAPES = {
    "cosine": lambda share: (1 - ops.cos(math.pi * share)) / 2,
    "linear": lambda share: share,
}
