"""Functions that Keras's `fit`, `evaluate` and `predict` call, for rows in memory or for others."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class Dispatch:
    """Stands for a model's `train_function`, `test_function` or `predict_function`.

    Iterators over `Rows.places` go to a graph over the rows, all others to Keras's function. So
    calls within calls, and calls of several threads, each get their own.

    Args:
        ordinary: Keras's function.
        graph: Is called with the place of a `Rows` that comes next, an integer.
    """

    def __init__(self, ordinary: Callable[..., Any], graph: Callable[[int], Any]) -> None:
        self.ordinary = ordinary
        self._graph = graph

    def __call__(self, data: Any) -> Any:
        """Trains on, evaluates or predicts what comes next."""
        if isinstance(data, tf.data.Iterator) and is_place(data.element_spec):
            return self._graph(int(next(data)))
        if isinstance(data, list) and len(data) == 1 and is_place(data[0]):  # for `predict`
            return self._graph(int(data[0]))
        return self.ordinary(data)


def is_place(element: Any) -> bool:
    """Returns whether an element, or its spec, is a place: a scalar, which no batch is."""
    is_tensor = isinstance(element, (tf.Tensor, tf.TensorSpec))
    return is_tensor and element.shape.rank == 0 and element.dtype == tf.int64
