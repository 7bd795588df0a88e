"""The loss that trials are compared by."""

from typing import Any

import keras

NAME = "plain_loss"


def plain_loss(target: Any) -> keras.metrics.Metric:
    """Returns a metric: the target's loss without label smoothing and weight penalties.

    "val_loss" has both in it, and a search that varies them would choose the smallest penalty
    rather than the best model.
    """
    return keras.metrics.MeanMetricWrapper(target.loss().call, name=NAME)


def with_plain_loss(model: Any, target: Any) -> Any:
    """Returns the compiled model with the metric added to the target's."""
    metrics = [*target.metrics(), plain_loss(target)]
    model.compile(optimizer=model.optimizer, loss=model.loss, metrics=metrics)
    return model
