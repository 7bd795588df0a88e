"""Piecewise."""

import itertools
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasrecipes._checks import check_number, fail
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules")
class Piecewise(Schedule):
    """Constant pieces: eta_t = eta before the first boundary, then eta * factor of the last one.

    The step at a boundary is the first of the new piece. The last piece never ends.

    Args:
        learning_rate: eta, float > 0.
        boundaries: Where the pieces begin, each in updates (int), as a share of the fit (float),
            or as "5 epochs"; ascending. Defaults to (0.5, 0.75).
        factors: As many factors of `learning_rate`, each >= 0; not cumulative. Defaults to
            (0.1, 0.01).

    Example:
    >>> schedule = Piecewise(1.0, boundaries=(10, 20), factors=(0.5, 2.0))
    >>> [round(float(schedule(t)), 4) for t in (0, 9, 10, 20, 100)]
    [1.0, 1.0, 0.5, 2.0, 2.0]

    Reference: He et al. 2016, arXiv:1512.03385 (the defaults, for CIFAR-10).
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        boundaries: Sequence[Any] = (0.5, 0.75),
        factors: Sequence[float] = (0.1, 0.01),
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        for name, value in (("boundaries", boundaries), ("factors", factors)):
            if not isinstance(value, (list, tuple)):
                fail(name, "a list", value)
        if len(factors) != len(boundaries):
            fail("factors", f"as many as the {len(boundaries)} boundaries", factors)
        self.boundaries = list(boundaries)
        self._starts = tuple(duration("boundaries", each) for each in boundaries)
        for before, after in itertools.combinations(self._starts, 2):
            if before.unit == after.unit and before.amount >= after.amount:
                fail("boundaries", "ascending", boundaries)
        self.factors = [check_number("factors", each, low=0.0) for each in factors]

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        rate = ops.full_like(t, self.learning_rate)
        for start, factor in zip(self._starts, self.factors, strict=True):
            new = ops.full_like(t, self.learning_rate * factor)
            rate = ops.where(t < start.updates(fit, t.dtype), rate, new)
        return rate
