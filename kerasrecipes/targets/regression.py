"""Regression onto unbounded values."""

from typing import Any, Self

import keras
import numpy as np

from kerasrecipes._checks import check_choice, check_int, fail
from kerasrecipes._export import export
from kerasrecipes.targets import _encoding
from kerasrecipes.targets.scaled_loss import ScaledLoss
from kerasrecipes.targets.target import Target


class _Values(Target):
    """What the regression targets share: the metrics, the encoding, and the loss of a guess."""

    def __init__(self, units: int, scale: Any) -> None:
        self.units = check_int("units", units, low=1)
        self.scale = statistics("scale", scale, self.units, positive=True)

    def loss(self, *, label_smoothing: float = 0.0) -> keras.losses.Loss:
        """Returns the squared loss, in units of `scale` where that is known."""
        refuse_smoothing(label_smoothing, self.name)
        if self.scale is None:
            return keras.losses.MeanSquaredError()
        return ScaledLoss("mse", scale=self.scale)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Returns MAE, RMSE and R2, all in the labels' own unit."""
        return regression_metrics()

    def encode(self, y: Any) -> np.ndarray:
        """Returns float32 values of shape (n,), or (n, units) for several units."""
        return _encoding.values(y, self.units)

    def random_guess_loss(self, y: Any = None) -> float:
        """Returns the loss of predicting the mean (robustly, the median) of `y` for every row."""
        if y is None:
            fail("y", "the labels that the guess is made for", y)
        y = self.encode(y).astype("float64")
        center = np.median if getattr(self, "robust", False) else np.mean
        guess = np.broadcast_to(center(y, axis=0), y.shape)
        rows = (len(y), -1)
        return float(self.loss()(y.reshape(rows), guess.reshape(rows)))


@export("targets")
class Regression(_Values):
    """One unbounded value per unit, by squared loss, or robustly by Huber loss.

    The head is linear. Once `adapt` has seen the training labels, the network predicts the
    standardised value z and the head returns center + scale * z; the loss is that of z:
        loss = mean(((y_true - y_pred) / scale)^2), or its Huber form when robust
    so the rate that suits one unit of measurement suits all. Metrics (MAE, RMSE, R2) are in the
    labels' own unit.

    Args:
        units: Values per row, int >= 1. Defaults to 1.
        robust: Whether to use the Huber loss (in units of `scale`), for labels with outliers.
        center: Offset of the head: a float, or one per unit. Defaults to None, no offset.
        scale: Scale of the head and the loss: a float > 0, or one per unit. Defaults to None.
        low: Smallest training label: a float, or one per unit; for recipes that cut predictions
            off there. Defaults to None, not known.
        high: Largest training label, as `low`. Defaults to None.

    Example:
    >>> target = Regression().adapt([10.0, 20.0, 30.0])
    >>> target.center, round(target.scale, 4), target.low, target.high
    (20.0, 8.165, 10.0, 30.0)
    >>> round(target.random_guess_loss([10.0, 20.0, 30.0]), 4)
    1.0
    """

    name = "regression"

    def __init__(
        self,
        units: int = 1,
        robust: bool = False,
        *,
        center: Any = None,
        scale: Any = None,
        low: Any = None,
        high: Any = None,
    ) -> None:
        super().__init__(units, scale)
        self.robust = check_choice("robust", robust, (True, False))
        self.center = statistics("center", center, self.units)
        self.low = statistics("low", low, self.units)
        self.high = statistics("high", high, self.units)

    def loss(self, *, label_smoothing: float = 0.0) -> keras.losses.Loss:
        """Returns the squared or Huber loss, in units of `scale` where that is known."""
        if not self.robust:
            return super().loss(label_smoothing=label_smoothing)
        refuse_smoothing(label_smoothing, self.name)
        return ScaledLoss("huber", scale=1.0 if self.scale is None else self.scale)

    def adapt(self, y: Any) -> Self:
        """Returns this target with the mean, standard deviation and range of `y` per unit.

        Robust targets take the median and 1.4826 times the median absolute deviation, which
        outliers cannot move.
        """
        values = self.encode(y).astype("float64")
        if self.robust:
            center = np.median(values, axis=0)
            scale = 1.4826 * np.median(np.abs(values - center), axis=0)
        else:
            center, scale = values.mean(axis=0), values.std(axis=0)
        scale = np.where(scale > 0, scale, np.where(values.std(axis=0) > 0, values.std(axis=0), 1))
        low, high = values.min(axis=0), values.max(axis=0)
        found = {"center": center, "scale": scale, "low": low, "high": high}
        return type(self)(self.units, self.robust, **{k: v.tolist() for k, v in found.items()})

    def output_layers(self, **dense_arguments: Any) -> list[keras.layers.Layer]:
        """Returns the linear head, and the layer that gives the labels their unit back."""
        layers = super().output_layers(**dense_arguments)
        if self.scale is None and self.center is None:
            return layers
        scale = 1.0 if self.scale is None else self.scale
        offset = 0.0 if self.center is None else self.center
        rescaling = keras.layers.Rescaling(scale, offset=offset, dtype="float32", name="units")
        return [*layers, rescaling]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "units": self.units,
            "robust": self.robust,
            "center": self.center,
            "scale": self.scale,
            "low": self.low,
            "high": self.high,
        }


def regression_metrics() -> list[keras.metrics.Metric]:
    """Returns MAE, RMSE and R2."""
    return [
        keras.metrics.MeanAbsoluteError(name="mae"),
        keras.metrics.RootMeanSquaredError(name="rmse"),
        keras.metrics.R2Score(name="r2"),
    ]


def refuse_smoothing(label_smoothing: float, name: str) -> None:
    """Label smoothing means nothing for values."""
    if label_smoothing:
        fail("label_smoothing", f"0 for a {name} target", label_smoothing)


def statistics(argument: str, value: Any, units: int, *, positive: bool = False) -> Any:
    """Returns a statistic of the labels, one float or one per unit, as plain numbers."""
    if value is None:
        return None
    expected = f"a finite number{' > 0' if positive else ''}, or one for each of {units} unit(s)"
    try:
        array = np.asarray(value, "float64")
    except (TypeError, ValueError):
        fail(argument, expected, value)
    if array.shape not in ((), (units,)) or not np.isfinite(array).all():
        fail(argument, expected, value)
    if positive and (array <= 0).any():
        fail(argument, expected, value)
    return array.tolist()
