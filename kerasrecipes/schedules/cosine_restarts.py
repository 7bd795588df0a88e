"""CosineRestarts."""

import math
from typing import Any

from keras import ops

from kerasrecipes._checks import check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "sgdr", "cosine_with_restarts")
class CosineRestarts(Schedule):
    """Half cosines down to a floor, each followed by a restart at the peak.

    Cycle n = 0, 1, ... has length C_n = C * g ** n and begins at step S_n = C_0 + ... + C_(n-1):
        eta_t = f + (p m ** n - f) * (1 + cos(pi * (t - S_n) / C_n)) / 2
    Either the number of cycles that fill `total` is given, and after them the rate is f; or the
    first cycle is, and they never end. A peak p m ** n below f counts as f.

    Args:
        learning_rate: p, float > 0.
        total: Length of all cycles: updates (int), a share of the fit (float), or "5 epochs".
            Defaults to None, the whole fit.
        cycles: How many fill `total`, int >= 1. Defaults to None, 3.
        first: C, as `total`, > 0; then neither `total` nor `cycles` may be given. Defaults to
            None, what fits.
        growth: g, float >= 1. Defaults to 2.0.
        shrink: m, in (0, 1], the peak of a cycle relative to the one before. Defaults to 1.0.
        floor: f, in [0, p]. Defaults to 0.0.

    Example:
    >>> schedule = CosineRestarts(1.0, total=70)
    >>> [round(float(schedule(t)), 4) for t in (0, 5, 10, 20, 30, 50, 70)]
    [1.0, 0.5, 1.0, 0.5, 1.0, 0.5, 0.0]

    Reference: Loshchilov & Hutter 2017, arXiv:1608.03983.
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        total: Any = None,
        cycles: int | None = None,
        first: Any = None,
        growth: float = 2.0,
        shrink: float = 1.0,
        floor: float = 0.0,
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.total = total
        self.cycles = cycles
        self.first = first
        self.growth = check_number("growth", growth, low=1.0)
        self.shrink = check_number("shrink", shrink, low=0.0, high=1.0, open_low=True)
        self.floor = check_number("floor", floor, low=0.0, high=self.learning_rate)
        if first is None:
            self._count = check_int("cycles", 3 if cycles is None else cycles, low=1)
            self._length = duration("total", 1.0 if total is None else total)
            self._firsts = sum(self.growth**n for n in range(self._count))
        else:
            if total is not None or cycles is not None:
                fail("first", "None when `total` or `cycles` is given", first)
            self._count = None
            self._shown_lengths = 7.0
            self._length = duration("first", first, positive=True)
            self._firsts = 1.0

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        length = ops.maximum(self._length.updates(fit, t.dtype), 1)
        first = length / self._firsts
        cycle = self._cycle(t, first)
        share = ops.clip((t - self._start(cycle, first)) / (first * self.growth**cycle), 0, 1)
        peak = ops.maximum(self.learning_rate * self.shrink**cycle, self.floor)
        rate = self.floor + (peak - self.floor) * (1 + ops.cos(math.pi * share)) / 2
        return rate if self._count is None else ops.where(t < length, rate, self.floor)

    def _cycle(self, t: Any, first: Any) -> Any:
        """Returns n; a logarithm rounded the wrong way at a restart is put right."""
        if self.growth == 1.0:
            return ops.floor(t / first)
        ratio = 1 + t * (self.growth - 1) / first
        cycle = ops.floor(ops.log(ratio) / math.log(self.growth))
        cycle = ops.where(t < self._start(cycle, first), cycle - 1, cycle)
        return ops.where(t < self._start(cycle + 1, first), cycle, cycle + 1)

    def _start(self, cycle: Any, first: Any) -> Any:
        if self.growth == 1.0:
            return cycle * first
        return first * (self.growth**cycle - 1) / (self.growth - 1)
