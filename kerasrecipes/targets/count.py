"""Regression onto counts."""

from typing import Any, Self

import keras
import numpy as np

from kerasrecipes._checks import InputError
from kerasrecipes._export import export
from kerasrecipes.targets.positive_regression import PositiveRegression
from kerasrecipes.targets.regression import refuse_smoothing


@export("targets")
class Count(PositiveRegression):
    """One count (0, 1, 2, ...) per unit, by Poisson loss.

    The head is softplus, y_pred = scale * log(1 + exp(z)), the rate of a Poisson distribution:
        loss = mean(y_pred - y_true * log(y_pred))
    Once `adapt` has seen the training labels, scale is their mean and the output starts there.

    Args:
        units: Counts per row, int >= 1. Defaults to 1.
        scale: Scale of the head: a float > 0, or one per unit. Defaults to None.
        mean: Mean of the labels, at which the head starts: a float, or one per unit.

    Example:
    >>> round(Count().random_guess_loss([1, 3]), 4)
    0.6137
    """

    name = "count"

    def loss(self, *, label_smoothing: float = 0.0) -> keras.losses.Loss:
        """Returns the Poisson loss."""
        refuse_smoothing(label_smoothing, self.name)
        return keras.losses.Poisson()

    def encode(self, y: Any) -> np.ndarray:
        """Returns float32 counts; negative or broken ones are an `InputError`."""
        values = super().encode(y)
        broken = np.flatnonzero((values != np.round(values)).reshape(len(values), -1).any(axis=1))
        if len(broken):
            raise InputError(
                f"`y` must hold whole counts. Received: {values[broken[0]]} at row {broken[0]}. "
                "Use `PositiveRegression` for measured values."
            )
        return values

    def adapt(self, y: Any) -> Self:
        """Returns this target with the mean of `y` per unit."""
        mean = self.encode(y).astype("float64").mean(axis=0)
        scale = np.where(mean > 0, mean, 1.0)
        return type(self)(self.units, scale=scale.tolist(), mean=mean.tolist())
