"""Evaluation of rows in memory."""

from typing import Any

import keras

from kerasrecipes.execution.graphs import NUMBERS, Graphs, take


class Evaluation:
    """Stands for a model's `test_function`: evaluates all rows in one call.

    Args:
        model: A built and compiled model on one device.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._graphs = Graphs(self._evaluate, NUMBERS)
        self.rows: Any = None

    def forget(self) -> None:
        """Forgets its graphs."""
        self._graphs.clear()

    def __call__(self, places: Any) -> dict[str, Any]:
        """Evaluates; returns the metrics."""
        next(places)
        graph, logs = self._graphs.of(self.rows), {}
        for chosen in self.rows.batches():
            logs = graph(self.rows.tensors, chosen)
        return logs

    def _evaluate(self, tensors: Any, chosen: Any) -> Any:
        self._model.test_step(take(tensors, chosen))
        return self._model.get_metrics_result()
