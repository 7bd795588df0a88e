"""The callbacks of a fit that goes over batches in groups."""

from typing import Any

import keras

from kerasrecipes.execution.ahead import Ahead


class GroupCallbacks(keras.callbacks.CallbackList):
    """Calls callbacks before the first batch of a group and after its last one.

    In between, Keras counts batches that the model has been trained on already, and what a callback
    would see or save of it would not be of the batch that it is told.

    Args:
        ahead: What goes over the groups.
        callbacks: As for `keras.callbacks.CallbackList`.
        **given: As there.
    """

    def __init__(self, ahead: Ahead, callbacks: list[Any], **given: Any) -> None:
        super().__init__(callbacks, **given)
        self._ahead = ahead

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Calls the callbacks if a group begins."""
        if not self._ahead.batches:
            self._ahead.begin_at(batch)
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Calls the callbacks if a group ends."""
        if not self._ahead.batches:
            super().on_train_batch_end(batch, logs)
