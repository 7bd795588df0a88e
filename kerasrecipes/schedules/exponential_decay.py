"""ExponentialDecay."""

from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.schedules.duration import duration
from kerasrecipes.schedules.schedule import FitLength, Schedule, as_float


@export("schedules", "exponential")
class ExponentialDecay(Schedule):
    """Exponential decay by its constant: eta_t = eta * exp(-k t / T).

    Step 0 is at eta, step T at exp(-k) eta; it never ends. `MultiplicativeDecay` is the same
    curve by its factor, exp(-k).

    Args:
        learning_rate: eta, float > 0.
        decay: k, float >= 0. Defaults to 5.0: under 1 % is left after T.
        every: T, the unit of time: updates (int), a share of the fit (float), or "5 epochs";
            > 0. Defaults to None, the whole fit.

    Example:
    >>> schedule = ExponentialDecay(1.0, decay=0.1, every=1)
    >>> [round(float(schedule(t)), 4) for t in (0, 1, 10)]
    [1.0, 0.9048, 0.3679]
    """

    _shown_lengths = 5.0

    def __init__(self, learning_rate: float, *, decay: float = 5.0, every: Any = None) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, low=0.0, open_low=True)
        self.decay = check_number("decay", decay, low=0.0)
        self.every = every
        self._every = duration("every", 1.0 if every is None else every, positive=True)

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` updates."""
        t = as_float(step)
        time = t / ops.maximum(self._every.updates(fit, t.dtype), 1)
        return self.learning_rate * ops.exp(-self.decay * time)
