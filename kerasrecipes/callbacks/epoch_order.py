"""EpochOrder."""

from collections.abc import Mapping
from typing import Any

from kerasrecipes._epoch_order import begin_epoch
from kerasrecipes._export import export
from kerasrecipes.callbacks.callback import Callback


@export("callbacks", saved=False)
class EpochOrder(Callback):
    """Tells the data which epoch begins, so that its order depends on (seed, epoch) only.

    Data made by `kerasrecipes.data.batches` counts its passes by itself. With this callback a
    fit that begins at `initial_epoch=k` has the order that the uninterrupted fit had in epoch k.
    Recipe models and `standard()` bring it along.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> data = kr.data.batches(np.arange(4.0)[:, None], np.ones(4), seed=0)
    >>> history = model.fit(
    ...     data, epochs=8, initial_epoch=6, shuffle=False, verbose=0, callbacks=[EpochOrder()]
    ... )
    >>> data.epoch
    8
    """

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Sets the epoch of every shuffled dataset."""
        begin_epoch(epoch)
