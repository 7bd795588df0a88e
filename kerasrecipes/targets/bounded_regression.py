"""Regression onto values in an interval."""

from typing import Any, Self

import keras
import numpy as np

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.targets import _encoding
from kerasrecipes.targets.regression import _Values, statistics


@export("targets")
class BoundedRegression(_Values):
    """One value in [low, high] per unit, by squared loss.

    The head is tanh for (-1, 1), and otherwise a sigmoid scaled to the interval:
        y_pred = low + (high - low) / (1 + exp(-z))
    Once `adapt` has seen the training labels, the loss is in units of their standard deviation
    and the output starts at their mean.

    Args:
        low: Lower end of the interval, a float.
        high: Upper end of the interval, a float > low.
        units: Values per row, int >= 1. Defaults to 1.
        scale: Scale of the loss: a float > 0, or one per unit. Defaults to None.
        mean: Mean of the labels, at which the head starts: a float, or one per unit.

    Example:
    >>> [layer.name for layer in BoundedRegression(0, 10).output_layers()]
    ['head', 'predictions', 'units']
    """

    name = "bounded_regression"

    def __init__(
        self, low: float, high: float, *, units: int = 1, scale: Any = None, mean: Any = None
    ) -> None:
        super().__init__(units, scale)
        self.low = check_number("low", low)
        self.high = check_number("high", high, low=self.low, open_low=True)
        self.mean = statistics("mean", mean, self.units)
        self.activation = "tanh" if (self.low, self.high) == (-1.0, 1.0) else "sigmoid"

    def encode(self, y: Any) -> np.ndarray:
        """Returns float32 values; those outside [low, high] are an `InputError`."""
        values = super().encode(y)
        _encoding.check_range(values, self.low, self.high, type(self).__name__)
        return values

    def adapt(self, y: Any) -> Self:
        """Returns this target with the mean and standard deviation of `y` per unit."""
        values = self.encode(y).astype("float64")
        scale = np.where(values.std(axis=0) > 0, values.std(axis=0), 1.0)
        return type(self)(
            self.low,
            self.high,
            units=self.units,
            scale=scale.tolist(),
            mean=values.mean(axis=0).tolist(),
        )

    def prior_bias(self) -> list[float] | None:
        """Returns the log odds of the mean's place in the interval (halved for tanh)."""
        if self.mean is None:
            return None
        share = (np.asarray(self.mean, "float64") - self.low) / (self.high - self.low)
        share = np.clip(share, 1e-3, 1 - 1e-3)
        bias = np.log(share / (1 - share)) / (2 if self.activation == "tanh" else 1)
        return np.broadcast_to(bias, (self.units,)).tolist()

    def output_layers(self, **dense_arguments: Any) -> list[keras.layers.Layer]:
        """Returns the bounded head, scaled to the interval."""
        layers = super().output_layers(**dense_arguments)
        if self.activation == "tanh" or (self.low, self.high) == (0.0, 1.0):
            return layers
        rescaling = keras.layers.Rescaling(
            self.high - self.low, offset=self.low, dtype="float32", name="units"
        )
        return [*layers, rescaling]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "low": self.low,
            "high": self.high,
            "units": self.units,
            "scale": self.scale,
            "mean": self.mean,
        }
