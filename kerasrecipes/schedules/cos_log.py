"""CosLog."""

import math
from typing import Any

from keras import ops

from kerasrecipes._checks import check_int, check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules")
class CosLog(Schedule):
    """Cosine cycles of doubling length, smooth throughout, from 0 to 0.

    With s = t / T in [0, 1] and n cycles:
        eta_t = p * (1 - cos(2 pi * log2(1 + (2**n - 1) * s))) / 2
    Steps 0 and T are at 0, as is all after T; each cycle takes twice as long as the one before.

    Args:
        learning_rate: p, float > 0.
        total: T: updates (int), a share of the fit (float), or "5 epochs". Defaults to None, the
            whole fit.
        cycles: n, int >= 1. Defaults to 4.

    Example:
    >>> schedule = CosLog(1.0, total=150)
    >>> [round(float(schedule(t)), 4) for t in (0, 10, 20, 30, 150, 200)]
    [0.0, 0.0, 0.9304, 0.0, 0.0, 0.0]

    Reference: Holzmueller et al. 2024, arXiv:2407.04491 ("coslog4").
    """

    def __init__(self, learning_rate: float, *, total: Any = None, cycles: int = 4) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.total = total
        self._total = duration("total", 1.0 if total is None else total)
        self.cycles = check_int("cycles", cycles, low=1)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        share = ops.clip(t / ops.maximum(self._total.updates(fit, t.dtype), 1), 0, 1)
        turns = ops.log2(1 + (2**self.cycles - 1) * share)
        return self.learning_rate * (1 - ops.cos(2 * math.pi * turns)) / 2
