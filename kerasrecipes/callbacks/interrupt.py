"""Interrupt."""

import signal
import threading
from collections.abc import Mapping
from typing import Any

import keras

from kerasrecipes._export import export


@export("callbacks", saved=False)
class Interrupt(keras.callbacks.Callback):
    """Makes the first Ctrl-C end the training cleanly; the second aborts as usual.

    After the first one the running batch is finished, the model is validated, and the other
    callbacks see an ordinary end, so that the best weights come back and `fit` returns.
    Outside the main thread, where Python delivers no signals, it does nothing.

    Attributes:
        interrupted: Whether Ctrl-C ended the last fit.

    Example:
    >>> Interrupt().interrupted
    False
    """

    def __init__(self) -> None:
        super().__init__()
        self.interrupted = False
        self._previous: Any = None
        self._installed = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Takes over the signal."""
        self.close()
        self.interrupted = False
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
            self._installed = True

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Gives the signal back."""
        self.close()

    def close(self) -> None:
        """Gives the signal back, also after a fit that ended in an exception."""
        if self._installed and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, self._previous)
        self._installed = False

    def _handle(self, number: int, frame: Any) -> None:
        if self.interrupted or not self._installed:
            signal.signal(signal.SIGINT, self._previous)
            self._installed = False
            raise KeyboardInterrupt
        self.interrupted = True
        self.model.stop_training = True
