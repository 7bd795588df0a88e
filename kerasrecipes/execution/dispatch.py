"""Functions that Keras's `fit`, `evaluate` and `predict` call, for whatever data they go over."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class Dispatch:
    """Stands for a model's `train_function`, `test_function` or `predict_function`.

    Iterators over `Rows.places` go to a graph over the rows, others to a graph over a pipeline if
    there is one for this call, else to Keras's function. So calls within calls, and calls of
    several threads, each get their own.

    Args:
        ordinary: Keras's function.
        graph: Is called with the place of a `Rows` that comes next, an integer.
        pipeline: Returns what is called with any other iterator now; None for Keras's function.
    """

    def __init__(
        self,
        ordinary: Callable[..., Any],
        graph: Callable[[int], Any],
        pipeline: Callable[[], Callable[[Any], Any] | None],
    ) -> None:
        self.ordinary = ordinary
        self._graph = graph
        self._pipeline = pipeline

    def __call__(self, data: Any) -> Any:
        """Trains on, evaluates or predicts what comes next."""
        if isinstance(data, tf.data.Iterator):
            if is_place(data.element_spec):
                return self._graph(int(next(data)))
            return (self._pipeline() or self.ordinary)(data)
        if isinstance(data, list) and len(data) == 1 and is_place(data[0]):  # for `predict`
            return self._graph(int(data[0]))
        return self.ordinary(data)


def is_place(element: Any) -> bool:
    """Returns whether an element, or its spec, is a place: a scalar, which no batch is."""
    is_tensor = isinstance(element, (tf.Tensor, tf.TensorSpec))
    return is_tensor and element.shape.rank == 0 and element.dtype == tf.int64
