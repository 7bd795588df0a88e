"""The callbacks of a fit that goes over batches in groups."""

from typing import Any

import keras

from kerasrecipes.execution.ahead import Ahead


class GroupCallbacks(keras.callbacks.CallbackList):
    """Calls callbacks before the first batch of a group and after its last one.

    In between, Keras counts batches that the model has been trained on already, and what a callback
    would see or save of it would not be of the batch that it is told. Where Keras stops in between,
    since a signal or another thread has said so, the group has ended.

    Args:
        ahead: What goes over the groups.
        callbacks: As for `keras.callbacks.CallbackList`.
        **given: As there.
    """

    def __init__(self, ahead: Ahead, callbacks: list[Any], **given: Any) -> None:
        super().__init__(callbacks, **given)
        self._ahead = ahead

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Calls the callbacks, at the begin of the first group."""
        self._ahead.begin_epoch()
        super().on_epoch_begin(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Calls the callbacks if a group begins."""
        if not self._ahead.batches:
            self._ahead.place = batch  # it is another after steps that `Checkpoint` has left out
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Calls the callbacks if a group ends."""
        if not self._ahead.batches:
            super().on_train_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Calls the callbacks, after the end of a group that was broken off."""
        self._end_group()
        super().on_test_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Calls the callbacks, after the end of a group that was broken off."""
        self._end_group()
        super().on_epoch_end(epoch, logs)

    def _end_group(self) -> None:
        if self._ahead.batches:
            self._ahead.batches = 0
            super().on_train_batch_end(self._ahead.place - 1, self._ahead.logs)
