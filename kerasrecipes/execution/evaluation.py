"""Evaluation of rows in memory."""

from typing import Any

import keras

from kerasrecipes.execution.graphs import NUMBERS, Graphs, take
from kerasrecipes.execution.rows import Rows


class Evaluation:
    """Evaluates a model on all rows in one call.

    Args:
        model: A built and compiled model on one device.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._graphs = Graphs(model, self._evaluate, NUMBERS)

    def forget(self) -> None:
        """Forgets its graphs."""
        self._graphs.clear()

    def __call__(self, rows: Rows) -> dict[str, Any]:
        """Evaluates; returns the metrics."""
        graph, logs = self._graphs.of(rows), {}
        for chosen in rows.batches():
            logs = graph(rows.tensors, chosen)
        return logs

    def _evaluate(self, tensors: Any, chosen: Any) -> Any:
        self._model.test_step(take(tensors, chosen))
        return self._model.get_metrics_result()
