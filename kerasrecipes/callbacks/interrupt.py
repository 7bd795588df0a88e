"""Interrupt."""

import signal
import threading
from collections.abc import Mapping
from typing import Any

from kerasrecipes import _keras_internals
from kerasrecipes._export import export
from kerasrecipes.callbacks._agreement import Agreement
from kerasrecipes.callbacks.callback import Callback


@export("callbacks", saved=False)
class Interrupt(Callback):
    """Makes the first Ctrl-C end the training cleanly, and SIGTERM the program after a save.

    After the first Ctrl-C the running batch is finished, the model is validated, and the other
    callbacks see an ordinary end, so that the best weights come back and `fit` returns.

    After SIGTERM, which batch systems send some seconds before they kill, and SIGHUP, which comes
    when the terminal is closed, the running batch is finished and `Checkpoint` saves the place in
    the epoch. Then the program exits with 128 plus the number of the signal (143, 129), as it
    would have without a save. An epoch whose last batch is done is validated and saved as a whole.
    A program that ignores one of these two signals, as under `nohup`, or has a handler of its own
    for it, keeps that.

    A second Ctrl-C aborts at once; the other two may come twice, as they often do. Outside the
    main thread, where Python delivers no signals, nothing changes.

    Of several workers (`kerasrecipes.distribute`) one that gets a signal is enough: all of them
    finish the same batch and end in the same way, within two seconds or 64 batches. All need this
    callback. `Checkpoint` then goes on from the last whole epoch.

    Attributes:
        interrupted: Whether a signal ended the last fit.

    Raises: SystemExit after SIGTERM or SIGHUP.

    Example:
    >>> Interrupt().interrupted
    False
    """

    needs_every_batch = False

    def __init__(self) -> None:
        super().__init__()
        self.interrupted = False
        self._previous: dict[int, Any] = {}
        self._installed = False
        self._signalled = False
        self._exit_code: int | None = None
        self._done = 0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Takes over the signals."""
        self.close()
        self.interrupted, self._signalled, self._exit_code, self._done = False, False, None, 0
        self._agreement = Agreement(self.model)
        if threading.current_thread() is not threading.main_thread():
            return
        self._installed, self._previous = True, {}
        self._take(signal.SIGINT)
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                self._take(number)

    def _take(self, number: int) -> None:
        self._previous[number] = signal.signal(number, self._handle)

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Stops if another worker has to."""
        if not self._agreement.is_alone and self._agreement.is_due():
            self._agree()
            self._agreement.space()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Remembers the place in the epoch."""
        self._done = batch + 1

    def _agree(self) -> None:
        """Stops if one of several workers got a signal; one that is alone has done so at once."""
        if self._agreement.is_alone or self.interrupted or not self._agreement.any(self._signalled):
            return
        if self._agreement.any(self._exit_code is not None) and self._exit_code is None:
            self._exit_code = 128 + signal.SIGTERM
        self._stop()

    def _stop(self) -> None:
        self.interrupted = True
        self.model.stop_training = True

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Exits if the epoch was broken off for that."""
        self._exit_within_epoch()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Exits if the epoch was broken off for that; stops if another worker has to."""
        self._agree()
        self._exit_within_epoch()

    def _exit_within_epoch(self) -> None:
        if not self.interrupted:
            return
        steps = self.params.get("steps")
        if steps is None or self._done < steps:
            self._exit()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Gives the signals back, and exits if one of them asks for that."""
        self.close()
        self._exit()

    def _exit(self) -> None:
        if self._exit_code is not None:
            self.close()
            raise SystemExit(self._exit_code)

    def close(self) -> None:
        """Gives the signals back, also after a fit that ended in an exception."""
        if self._installed:
            for number, previous in self._previous.items():
                if signal.getsignal(number) == self._handle:
                    signal.signal(number, previous)
        self._installed = False

    def _handle(self, number: int, frame: Any) -> None:
        aborts = self._signalled and number == signal.SIGINT
        if aborts or not self._installed or not self._is_running(frame):
            self.close()
            signal.signal(number, self._previous[number])
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            signal.raise_signal(number)
            return
        self._signalled = True
        if number != signal.SIGINT:
            self._exit_code = 128 + number
        if self._agreement.is_alone:
            self._stop()

    def _is_running(self, frame: Any) -> bool:
        """Returns whether the interrupted code is in the fit, which may have failed unnoticed."""
        return bool(_keras_internals.callbacks_of_the_fit(self, frame))
