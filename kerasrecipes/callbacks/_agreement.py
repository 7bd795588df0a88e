"""What the workers of a training decide together, at the same batch."""

import time
from typing import Any

from kerasrecipes import _workers

_PAUSE = 2.0  # seconds that it may take until a signal is heeded, but for
_MOST = 64  # batches at most between two questions


class Agreement:
    """Asks all workers whether one of them wants to stop, now and then.

    A question costs about as much as a step of a small model. So the batches between two of them
    double until they take two seconds. On one process each batch is an occasion, and costs nothing.

    Args:
        model: The model that is trained.
    """

    def __init__(self, model: Any) -> None:
        self._strategy = _workers.strategy_of(model)
        self._interval = self._left = 1
        self._asked: float | None = None

    @property
    def is_alone(self) -> bool:
        """Whether there is one process only."""
        return self._strategy is None

    def is_due(self) -> bool:
        """Returns whether to ask now. All workers have to call it before each batch."""
        if self.is_alone:
            return True
        if self._asked is None:  # the first batch takes long, since it is compiled
            self._asked = time.monotonic()
            return False
        self._left -= 1
        return self._left <= 0

    def any(self, flag: bool) -> bool:
        """Returns whether one of the workers has set the flag. All have to call it."""
        return _workers.any_worker(self._strategy, flag)

    def space(self) -> float:
        """Decides after how many batches to ask again; all workers have to call it.

        Returns: The seconds that this may take.
        """
        if self.is_alone:
            return 0.0
        now = time.monotonic()
        spent = 0.0 if self._asked is None else now - self._asked
        before = self._interval
        if before < _MOST:
            self._interval *= 1 if self.any(spent > _PAUSE) else 2
        self._left, self._asked = self._interval, now
        return spent * self._interval / before
