"""Cosine."""

import math
from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import check_within, duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules")
class Cosine(Schedule):
    """Linear warm-up to a peak, then half a cosine down to a floor.

    With step t, warm-up W, total T, peak p, floor f:
        t < W:       eta = p * (t + 1) / (W + 1)
        W <= t < T:  eta = f + (p - f) * (1 + cos(pi * (t - W) / (T - W))) / 2
        t >= T:      eta = f
    The first update of a warm-up already moves, at p / (W + 1).

    Args:
        learning_rate: p, float > 0.
        total: T: updates (int), a share of the fit (float), or "5 epochs". Defaults to None, the
            whole fit.
        warmup: W: updates (int), a share of `total` (float), or "5 epochs". Defaults to 0, no
            warm-up; at most T.
        floor: f, in [0, p]. Defaults to 0.0.

    Example:
    >>> schedule = Cosine(1.0, total=100)
    >>> [round(float(schedule(t)), 4) for t in (0, 25, 50, 100, 200)]
    [1.0, 0.8536, 0.5, 0.0, 0.0]

    Reference: Loshchilov & Hutter 2017, arXiv:1608.03983.
    """

    def __init__(
        self, learning_rate: float, *, total: Any = None, warmup: Any = 0, floor: float = 0.0
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.floor = check_number("floor", floor, low=0.0, high=self.learning_rate)
        self.total = total
        self.warmup = warmup
        self._total = duration("total", 1.0 if total is None else total)
        self._warmup = duration("warmup", warmup, of=self._total)
        check_within(self._total, warmup=self._warmup)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        total, warmup = (each.updates(fit, t.dtype) for each in (self._total, self._warmup))
        rising = self.learning_rate * (t + 1) / (warmup + 1)
        share = ops.clip((t - warmup) / ops.maximum(total - warmup, 1), 0, 1)
        falling = self.floor + (self.learning_rate - self.floor) * (
            (1 + ops.cos(math.pi * share)) / 2
        )
        return ops.where(t < warmup, rising, falling)
