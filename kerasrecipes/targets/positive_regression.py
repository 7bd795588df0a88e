"""Regression onto positive values."""

from typing import Any, Self

import keras
import numpy as np

from kerasrecipes._export import export
from kerasrecipes.targets import _encoding
from kerasrecipes.targets.regression import _Values, statistics


@export("targets")
class PositiveRegression(_Values):
    """One value >= 0 per unit, by squared loss.

    The head is softplus: y_pred = scale * log(1 + exp(z)), positive for every z. Once `adapt`
    has seen the training labels, scale is their root mean square, the output starts at their
    mean, and the loss is mean(((y_true - y_pred) / scale)^2).

    Args:
        units: Values per row, int >= 1. Defaults to 1.
        scale: Scale of the head and the loss: a float > 0, or one per unit. Defaults to None.
        mean: Mean of the labels, at which the head starts: a float, or one per unit.

    Example:
    >>> PositiveRegression().encode([0.5, -1.0])
    Traceback (most recent call last):
    kerasrecipes._checks.InputError: `y` must lie in [0, inf] for PositiveRegression. ...
    """

    name = "positive_regression"
    activation = "softplus"

    def __init__(self, units: int = 1, *, scale: Any = None, mean: Any = None) -> None:
        super().__init__(units, scale)
        self.mean = statistics("mean", mean, self.units)

    def encode(self, y: Any) -> np.ndarray:
        """Returns float32 values; negative ones are an `InputError`."""
        values = super().encode(y)
        _encoding.check_range(values, 0.0, np.inf, type(self).__name__)
        return values

    def adapt(self, y: Any) -> Self:
        """Returns this target with the mean and root mean square of `y` per unit."""
        values = self.encode(y).astype("float64")
        scale = np.sqrt(np.square(values).mean(axis=0))
        scale = np.where(scale > 0, scale, 1.0)
        return type(self)(self.units, scale=scale.tolist(), mean=values.mean(axis=0).tolist())

    def prior_bias(self) -> list[float] | None:
        """Returns softplus^-1(mean / scale) per unit: log(exp(mean / scale) - 1)."""
        if self.mean is None:
            return None
        ratio = np.maximum(
            np.asarray(self.mean) / (1.0 if self.scale is None else self.scale), 1e-3
        )
        return np.broadcast_to(np.log(np.expm1(ratio)), (self.units,)).tolist()

    def output_layers(self, **dense_arguments: Any) -> list[keras.layers.Layer]:
        """Returns the softplus head, and the layer that gives the labels their unit back."""
        layers = super().output_layers(**dense_arguments)
        if self.scale is None:
            return layers
        return [*layers, keras.layers.Rescaling(self.scale, dtype="float32", name="units")]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"units": self.units, "scale": self.scale, "mean": self.mean}
