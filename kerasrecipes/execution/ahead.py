"""A loop of Keras over batches, and a graph that is ahead of it."""

from collections.abc import Callable
from typing import Any

import keras


class Ahead:
    """Goes over many batches when Keras asks for one, and lets it ask for the others.

    Keras counts the batches, and ends epochs and evaluations; the calls for batches that have been
    gone over already return at once.

    Args:
        graph: Goes over batches, as `PipelineGraph` does.
        model: The model that it is of.
        steps: Batches of an epoch or evaluation; None if only its end tells.
        at_most: Batches to go over at a time; None for any number.

    Attributes:
        batches: How many have been gone over that Keras has not asked for yet.
    """

    def __init__(
        self,
        graph: Callable[[Any, int], tuple[int, dict[str, Any]]],
        model: keras.Model,
        *,
        steps: int | None = None,
        at_most: int | None = None,
    ) -> None:
        self._graph = graph
        self._model = model
        self._steps = steps
        self._at_most = at_most or 2**62
        self._place = 0
        self._logs: dict[str, Any] = {}
        self.batches = 0

    def begin_at(self, step: int) -> None:
        """Takes which step of the epoch comes next."""
        self._place = step

    def __call__(self, iterator: Any) -> dict[str, Any]:
        """Does what Keras asks of its function, which may have been done already."""
        asked = self._model.steps_per_execution
        while self.batches < asked and self._goes_over_more(iterator):
            pass
        if self.batches <= 0:
            raise StopIteration
        self.batches = max(self.batches - asked, 0)
        return self._logs

    def _goes_over_more(self, iterator: Any) -> bool:
        left = self._at_most if self._steps is None else self._steps - self._place
        if left <= 0:
            return False
        done, logs = self._graph(iterator, min(left, self._at_most))
        if done:
            self._logs = logs
        self._place, self.batches = self._place + done, self.batches + done
        return done > 0
