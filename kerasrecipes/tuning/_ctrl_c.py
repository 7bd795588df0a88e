"""Ctrl-C that a search cannot miss."""

import signal
import threading
from types import FrameType
from typing import Any


class CtrlC:
    """Remembers Ctrl-C until it is raised; a context manager.

    Python drops what is raised within a destructor or a callback of the garbage collector, where
    JAX has one, and the search would go on. Outside the main thread, and where somebody else
    handles the signal, nothing changes.
    """

    _is_heard = False
    _previous: Any = None

    def __enter__(self) -> "CtrlC":
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._previous = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, *error: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._is_heard = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raises KeyboardInterrupt if there has been a Ctrl-C."""
        if self._is_heard:
            raise KeyboardInterrupt
