"""A regression loss on standardised residuals."""

from typing import Any

import keras

from kerasrecipes._checks import check_choice
from kerasrecipes._export import export


@export("losses")
class ScaledLoss(keras.losses.Loss):
    """Squared or Huber loss of residuals in units of a scale.

    With residual r = (y_true - y_pred) / scale:
        "mse":   mean(r^2)
        "huber": mean(r^2 / 2 where |r| <= 1, |r| - 1/2 elsewhere)
    With scale the standard deviation of the labels, "mse" is the squared loss on the
    standardised target, so rates, clipping and penalties mean the same for every unit.

    Args:
        kind: "mse" or "huber".
        scale: Scale of the residuals: a float > 0, or one for each output. Defaults to 1.0.
        reduction: As for every Keras loss.
        name: Name of the loss.
        dtype: Dtype of the computation, as for every Keras loss.

    Example:
    >>> loss = ScaledLoss("mse", scale=2.0)
    >>> float(loss([[0.0], [0.0]], [[2.0], [4.0]]))
    2.5

    Reference: Huber 1964, doi:10.1214/aoms/1177703732.
    """

    def __init__(
        self,
        kind: str = "mse",
        *,
        scale: Any = 1.0,
        reduction: str = "sum_over_batch_size",
        name: str = "scaled_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.kind = check_choice("kind", kind, ("mse", "huber"))
        self.scale = scale

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns one loss per row."""
        y_pred = keras.ops.convert_to_tensor(y_pred, self.dtype)
        y_true = keras.ops.convert_to_tensor(y_true, self.dtype)
        scale = keras.ops.convert_to_tensor(self.scale, self.dtype)
        function = keras.losses.mean_squared_error if self.kind == "mse" else keras.losses.huber
        return function(y_true / scale, y_pred / scale)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "kind": self.kind, "scale": self.scale}
