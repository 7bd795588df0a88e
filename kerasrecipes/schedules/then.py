"""Then."""

from collections.abc import Callable
from typing import Any

from keras import ops

from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.part import momentum_at, part, rate_at, rest_of
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules")
class Then(Schedule):
    """One schedule for a while, and another from then on.

    With step t and boundary A:
        t < A:   eta_t = eta_t of the first
        t >= A:  eta_t = eta_(t - A) of the other
    Each part takes its lengths from its own part of the fit: the first A updates, and the rest.

    Args:
        schedule: The first: a schedule of this package or of Keras, or a constant rate.
        other: The other, likewise.
        after: A: updates (int), a share of the fit (float), or "5 epochs".

    Example:
    >>> schedule = Then(1.0, other=0.1, after=10)
    >>> [round(float(schedule(t)), 4) for t in (0, 9, 10, 100)]
    [1.0, 1.0, 0.1, 0.1]
    """

    def __init__(self, schedule: Any, *, other: Any, after: Any) -> None:
        self.schedule = part("schedule", schedule)
        self.other = part("other", other)
        self.after = after
        self._after = duration("after", after)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        return self._joined(rate_at, step, fit)

    def momentum_at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the momentum of the part; None unless both parts have one."""
        return self._joined(momentum_at, step, fit)

    def _joined(self, value_at: Callable[..., Any], step: Any, fit: FitLength | None) -> Any:
        t = as_float(step)
        after = self._after.updates(fit, t.dtype)
        first_fit = None if fit is None else FitLength(after, fit.updates_per_epoch)
        first = value_at(self.schedule, t, first_fit)
        other = value_at(self.other, ops.maximum(t - after, 0), rest_of(fit, after))
        if first is None or other is None:
            return None
        return ops.where(t < after, first, other)
