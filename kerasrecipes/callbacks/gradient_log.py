"""GradientLog."""

from collections.abc import Mapping
from typing import Any

from kerasrecipes import _keras_internals
from kerasrecipes._export import export
from kerasrecipes.callbacks.callback import Callback


@export("callbacks", saved=False)
class GradientLog(Callback):
    """Adds what the optimizer saw of its gradients to the logs of each epoch.

    Means over the updates of the epoch stand in History as "gradient_norm" (before clipping) and
    "clipped_fraction" for an optimizer of this package that clips, and as "update_ratio" (norm of
    the update over the norm of the weights) for one with `track_updates=True`. Other optimizers
    add nothing.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(kr.optimizers.SGD(0.1, global_clipnorm=1e-3), "mse")
    >>> x, y = np.ones((8, 2)), np.zeros((8, 1))
    >>> model.fit(x, y, verbose=0, callbacks=[GradientLog()]).history["clipped_fraction"]
    [1.0]
    """

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begins the means anew."""
        optimizer = _keras_internals.inner_optimizer(self.model.optimizer)
        getattr(optimizer, "reset_statistics", lambda: None)()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the means."""
        optimizer = _keras_internals.inner_optimizer(self.model.optimizer)
        if logs is not None:
            logs.update(getattr(optimizer, "statistics", dict)())
