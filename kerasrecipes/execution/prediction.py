"""Prediction of rows in memory."""

from typing import Any

import keras
import tensorflow as tf

from kerasrecipes.execution.graphs import NUMBERS, Graphs, take
from kerasrecipes.execution.rows import Rows


class Prediction:
    """Predicts all rows in one call.

    Args:
        model: A built model on one device.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._graphs = Graphs(model, self._predict, NUMBERS)

    def forget(self) -> None:
        """Forgets its graphs."""
        self._graphs.clear()

    def __call__(self, rows: Rows) -> Any:
        """Returns the predictions."""
        graph = self._graphs.of(rows)
        parts = [graph(rows.tensors, chosen) for chosen in rows.batches()]
        return keras.tree.map_structure(lambda *each: tf.concat(each, axis=0), *parts)

    def _predict(self, tensors: Any, chosen: Any) -> Any:
        return self._model.predict_step(take(tensors, chosen))
