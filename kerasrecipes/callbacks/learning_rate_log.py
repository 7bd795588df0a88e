"""LearningRateLog."""

from typing import Any

import keras

from kerasrecipes._export import export
from kerasrecipes.callbacks.callback import Callback


@export("callbacks", saved=False)
class LearningRateLog(Callback):
    """Adds the learning rate at the end of each epoch to its logs.

    It stands in History as "learning_rate", for constant rates and schedules alike. It is the rate
    of the next update, unless a callback after this one changes that, as `ReduceLROnPlateau` does
    in `standard()`; a cut then shows in the next epoch.

    Example:
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(0.25), "mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> model.fit(x, y, verbose=0, callbacks=[LearningRateLog()]).history["learning_rate"]
    [0.25]
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the rate."""
        if logs is not None:
            rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
            logs["learning_rate"] = float(rate)
