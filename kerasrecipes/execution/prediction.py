"""Prediction of rows in memory."""

from typing import Any

import keras

from kerasrecipes.execution.graphs import NUMBERS, Graphs, take


class Prediction:
    """Stands for a model's `predict_function`: predicts all rows in one call.

    Args:
        model: A built model on one device.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._graphs = Graphs(self._predict, NUMBERS)
        self.rows: Any = None

    def forget(self) -> None:
        """Forgets its graphs."""
        self._graphs.clear()

    def __call__(self, places: Any) -> Any:
        """Returns the predictions."""
        graph = self._graphs.of(self.rows)
        parts = [graph(self.rows.tensors, chosen) for chosen in self.rows.batches()]
        return keras.tree.map_structure(lambda *each: keras.ops.concatenate(each), *parts)

    def _predict(self, tensors: Any, chosen: Any) -> Any:
        return self._model.predict_step(take(tensors, chosen))
