"""Cross-entropy with label smoothing that takes class numbers as well as probabilities."""

from typing import Any

import keras

from kerasrecipes._checks import check_number
from kerasrecipes._export import export


@export("losses")
class SmoothedCrossentropy(keras.losses.Loss):
    """Categorical cross-entropy against smoothed labels.

    With C classes, smoothing a and true class c:
        loss = -sum_j q_j log p_j,  q_j = (1 - a) [j = c] + a / C
    Keras smooths only one-hot labels; this takes class numbers, shape (n,) or (n, 1), and
    one-hot labels or probabilities, shape (n, C).

    Args:
        label_smoothing: a in [0, 1). Defaults to 0.0.
        reduction: As for every Keras loss.
        name: Name of the loss.
        dtype: Dtype of the computation, as for every Keras loss.

    Example:
    >>> loss = SmoothedCrossentropy(label_smoothing=0.3)
    >>> round(float(loss([0], [[0.7, 0.2, 0.1]])), 4)
    0.6765

    Reference: Szegedy et al. 2016, arXiv:1512.00567, section 7.
    """

    def __init__(
        self,
        *,
        label_smoothing: float = 0.0,
        reduction: str = "sum_over_batch_size",
        name: str = "smoothed_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.label_smoothing = check_number(
            "label_smoothing", label_smoothing, low=0.0, high=1.0, open_high=True
        )

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns one loss per row."""
        y_pred = keras.ops.convert_to_tensor(y_pred, self.dtype)
        y_true = keras.ops.convert_to_tensor(y_true)
        classes = y_pred.shape[-1]
        if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1 != classes:
            y_true = keras.ops.squeeze(y_true, -1)
        if len(y_true.shape) < len(y_pred.shape):
            y_true = keras.ops.one_hot(keras.ops.cast(y_true, "int32"), classes, dtype=y_pred.dtype)
        y_true = keras.ops.cast(y_true, y_pred.dtype)
        smoothed = y_true * (1.0 - self.label_smoothing) + self.label_smoothing / classes
        return keras.losses.categorical_crossentropy(smoothed, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
