"""WarmupStableDecay."""

import math
from typing import Any

from keras import ops

from kerasrecipes._checks import check_choice, check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import check_within, duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "wsd")
class WarmupStableDecay(Schedule):
    """Linear warm-up, a constant rate, and a short decay at the end.

    With step t, warm-up W, decay D, total T, peak p, floor f and u = (t - T + D) / D:
        t < W:           eta = p * (t + 1) / (W + 1)
        W <= t < T - D:  eta = p
        T - D <= t < T:  eta = f + (p - f) * g(u)
        t >= T:          eta = f
    where g(u) is 1 - u ("linear"), 1 - sqrt(u) ("sqrt") or (1 + cos(pi u)) / 2 ("cosine"). The
    first update already moves, at p / (W + 1).

    Args:
        learning_rate: p, float > 0.
        total: T: updates (int), a share of the fit (float), or "5 epochs". Defaults to None, the
            whole fit.
        warmup: W: updates (int), a share of `total` (float), or "5 epochs". Defaults to 0.05.
        decay: D, as `warmup`; W + D is at most T. Defaults to 0.2.
        floor: f, in [0, p]. Defaults to 0.0.
        shape: "linear", "sqrt" or "cosine". Defaults to "linear".

    Example:
    >>> schedule = WarmupStableDecay(1.0, total=100, warmup=9)
    >>> [round(float(schedule(t)), 4) for t in (0, 9, 80, 90, 100, 200)]
    [0.1, 1.0, 1.0, 0.5, 0.0, 0.0]

    Reference: Hu et al. 2024, arXiv:2404.06395; Haegele et al. 2024, arXiv:2405.18392 ("sqrt").
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        total: Any = None,
        warmup: Any = 0.05,
        decay: Any = 0.2,
        floor: float = 0.0,
        shape: str = "linear",
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.total = total
        self._total = duration("total", 1.0 if total is None else total)
        self.warmup = warmup
        self._warmup = duration("warmup", warmup, of=self._total)
        self.decay = decay
        self._decay = duration("decay", decay, of=self._total)
        check_within(self._total, warmup=self._warmup, decay=self._decay)
        self.floor = check_number("floor", floor, low=0.0, high=self.learning_rate)
        self.shape = check_choice("shape", shape, _SHAPES)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        lengths = (self._total, self._warmup, self._decay)
        total, warmup, decay = (each.updates(fit, t.dtype) for each in lengths)
        share = ops.clip((t - total + decay) / ops.maximum(decay, 1), 0, 1)
        falling = self.floor + (self.learning_rate - self.floor) * _SHAPES[self.shape](share)
        return ops.where(t < warmup, self.learning_rate * (t + 1) / (warmup + 1), falling)


_SHAPES = {
    "linear": lambda share: 1 - share,
    "sqrt": lambda share: 1 - ops.sqrt(share),
    "cosine": lambda share: (1 + ops.cos(math.pi * share)) / 2,
}
