"""The loss that trials are compared by."""

from typing import Any, Self

import keras

NAME = "plain_loss"


# Runs that go on in another process take their compiled model with them.
@keras.saving.register_keras_serializable("kerasrecipes.tuning")
class PlainLoss(keras.metrics.MeanMetricWrapper):
    """A metric: the target's loss without label smoothing and weight penalties.

    "val_loss" has both in it, and a search that varies them would choose the smallest penalty
    rather than the best model.

    Args:
        target: The target.
        **kwargs: Arguments of `keras.metrics.Metric`.
    """

    def __init__(self, target: Any, **kwargs: Any) -> None:
        super().__init__(target.loss().call, **{"name": NAME, **kwargs})
        self._target = target

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        target = keras.saving.serialize_keras_object(self._target)
        return {"target": target, "name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns the metric that `get_config` described."""
        return cls(**{**config, "target": keras.saving.deserialize_keras_object(config["target"])})


def with_plain_loss(model: Any, target: Any) -> Any:
    """Returns the compiled model with the metric added to the target's."""
    metrics = [*target.metrics(), PlainLoss(target)]
    model.compile(optimizer=model.optimizer, loss=model.loss, metrics=metrics)
    return model
