"""Accuracy that takes class numbers as well as probabilities."""

from typing import Any

import keras

from kerasrecipes._export import export


@export("metrics")
class ClassAccuracy(keras.metrics.SparseCategoricalAccuracy):
    """Share of the rows whose most probable class is the true one.

    Labels are class numbers, shape (n,) or (n, 1), or one-hot labels or shares, shape (n, C), of
    which the largest counts, so that it goes on under mixup and label smoothing.

    Args:
        name: Name of the metric. Defaults to "accuracy".
        dtype: Dtype of the result, as for every Keras metric.

    Example:
    >>> metric = ClassAccuracy()
    >>> metric.update_state([[0.3, 0.7], [0.9, 0.1]], [[0.2, 0.8], [0.4, 0.6]])
    >>> metric.update_state([1, 1], [[0.2, 0.8], [0.4, 0.6]])
    >>> float(metric.result())
    0.75
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch."""
        y_true, y_pred = map(keras.ops.convert_to_tensor, (y_true, y_pred))
        classes = y_pred.shape[-1]
        if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == classes != 1:
            y_true = keras.ops.argmax(y_true, axis=-1)
        super().update_state(y_true, y_pred, sample_weight=sample_weight)
