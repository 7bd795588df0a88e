"""PenaltyLog."""

from typing import Any

from kerasrecipes._export import export
from kerasrecipes.callbacks.callback import Callback
from kerasrecipes.regularizers.penalty import penalty


@export("callbacks", saved=False)
class PenaltyLog(Callback):
    """Adds the weight penalty at the end of each epoch to its logs, apart from the data loss.

    It stands in History as "penalty", for models with weight regularizers only. "val_loss" minus
    it is the data loss of the validation rows; see `regularizers.penalty`.

    Example:
    >>> import keras, numpy as np
    >>> layer = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.5))
    >>> model = keras.Sequential([keras.Input((2,)), layer])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones(8), verbose=0, callbacks=[PenaltyLog()])
    >>> kernel = layer.kernel.numpy()
    >>> bool(np.isclose(history.history["penalty"][0], 0.5 * (kernel**2).sum()))
    True
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the penalty."""
        penalised = any(weight.regularizer for weight in self.model.trainable_weights)
        if logs is not None and penalised:
            logs["penalty"] = penalty(self.model)
