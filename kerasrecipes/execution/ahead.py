"""A loop of Keras over batches, and a graph that is ahead of it."""

from typing import Any

import keras

from kerasrecipes.execution.pipeline_graph import PipelineGraph


class Ahead:
    """Goes over many batches when Keras asks for one, and lets it ask for the others.

    Keras counts the batches, and ends epochs and evaluations; the calls for batches that have been
    gone over already return at once.

    Args:
        graph: Goes over batches.
        model: The model that it is of.
        steps: Batches of an epoch or evaluation; None if only the end of the data tells.
        may_end: Whether the data may end before.
        at_most: Batches to go over at a time; None for any number.

    Attributes:
        batches: How many have been gone over that Keras has not asked for yet.
        place: The step of the epoch that comes after those that have been gone over.
        logs: The metrics so far.
    """

    def __init__(
        self,
        graph: PipelineGraph,
        model: keras.Model,
        *,
        steps: int | None = None,
        may_end: bool = True,
        at_most: int | None = None,
    ) -> None:
        self._graph = graph
        self._model = model
        self._steps = steps
        self._may_end = may_end
        self._at_most = at_most or 2**62
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Begins an epoch or evaluation: what was ahead of Keras is over."""
        self.place, self.batches, self._is_at_end = 0, 0, False
        self.logs: dict[str, Any] = {}

    def __call__(self, iterator: Any) -> dict[str, Any]:
        """Does what Keras asks of its function, which may have been done already."""
        asked = self._model.steps_per_execution
        while self.batches < asked and self._left():
            self._go_over_more(iterator)
        if not self.batches:
            if self._steps is None:
                self._steps = self.place + 1  # as Keras, which has counted this call too
            raise StopIteration
        self.batches = max(self.batches - asked, 0)
        return self.logs

    def _left(self) -> int:
        """Returns how many batches to go over at most."""
        if self._is_at_end:
            return 0
        return self._at_most if self._steps is None else self._steps - self.place

    def _go_over_more(self, iterator: Any) -> None:
        most = min(self._left(), self._at_most)
        done, self._is_at_end, logs = self._graph(iterator, most, may_end=self._may_end)
        if done:
            self.logs = logs
        self.place, self.batches = self.place + done, self.batches + done
