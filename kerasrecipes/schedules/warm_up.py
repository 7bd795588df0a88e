"""WarmUp."""

from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.part import momentum_at, part, rate_at, rest_of
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules")
class WarmUp(Schedule):
    """A linear rise to the first rate of any schedule, which begins after it.

    With step t, warm-up W, start s:
        t < W:   eta_t = eta_0 of the schedule * (s + (1 - s) * t / W)
        t >= W:  eta_t = eta_(t - W) of the schedule
    The fit that the schedule takes its lengths from is the rest after the warm-up, so
    `WarmUp(Cosine(p), length=W)` is `Cosine(p, warmup=W)`.

    Args:
        schedule: Schedule of this package or of Keras, or a constant rate.
        length: W: updates (int), a share of the fit (float), or "5 epochs". Defaults to 0.05.
        start: s, in [0, 1]. Defaults to None, 1 / (W + 1), so that the first update already
            moves. 0 is what Keras and optax do.

    Example:
    >>> schedule = WarmUp(0.5, length=4)
    >>> [round(float(schedule(t)), 4) for t in range(6)]
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.5]

    Reference: Goyal et al. 2017, arXiv:1706.02677.
    """

    def __init__(self, schedule: Any, *, length: Any = 0.05, start: float | None = None) -> None:
        self.schedule = part("schedule", schedule)
        self.length = length
        self._length = duration("length", length)
        self.start = None if start is None else check_number("start", start, low=0.0, high=1.0)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        length = self._length.updates(fit, t.dtype)
        start = 1 / (length + 1) if self.start is None else self.start
        share = ops.clip(t / ops.maximum(length, 1), 0, 1)
        rate = rate_at(self.schedule, ops.maximum(t - length, 0), rest_of(fit, length))
        return ops.where(t < length, rate * (start + (1 - start) * share), rate)

    def momentum_at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the schedule's momentum; while warming up, its first."""
        t = as_float(step)
        length = self._length.updates(fit, t.dtype)
        return momentum_at(self.schedule, ops.maximum(t - length, 0), rest_of(fit, length))
