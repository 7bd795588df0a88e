"""What the callbacks that leave batches out share."""

from collections.abc import Mapping
from typing import Any

from kerasrecipes.callbacks._guards import Guard
from kerasrecipes.callbacks._hooks import attach, detach
from kerasrecipes.callbacks._rate_cut import number
from kerasrecipes.callbacks.callback import Callback


class GuardCallback(Callback):
    """Base of the callbacks that put a guard on the optimizer for the length of a fit.

    Attributes:
        skipped: Batches left out so far in this fit.
        counts: What the guard on the device has seen and counted.
        stopped_epoch: Epoch in which this callback stopped the training, or None.
        reason: Why it did, in words.
    """

    state = ("counts", "stopped_epoch", "reason", "_begin")
    _guard: Guard | None = None

    def _reset(self) -> None:
        self.stopped_epoch: int | None = None
        self.reason = ""
        self._begin = 0  # skipped before the epoch

    def _put_on(self, guard: Guard, *, what: str) -> None:
        attach(self, guard, what=what)
        self._guard = guard

    @property
    def skipped(self) -> int:
        """Batches left out so far in this fit."""
        return 0 if self._guard is None else int(number(self._guard.skipped))

    @property
    def in_a_row(self) -> int:
        """Batches left out since the last update."""
        return 0 if self._guard is None else int(number(self._guard.in_a_row))

    @property
    def counts(self) -> dict[str, Any]:
        """What the guard on the device has seen and counted."""
        return {} if self._guard is None else self._guard.variables()

    @counts.setter
    def counts(self, values: Mapping[str, Any]) -> None:
        if self._guard is not None:
            self._guard.load(values)

    def _stop(self, epoch: int, reason: str) -> None:
        self.stopped_epoch, self.reason = epoch, reason
        self.model.stop_training = True

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Takes the guard off."""
        self.close()

    def close(self) -> None:
        """Takes the guard off."""
        if self._guard is not None:
            detach(self._guard.model, self._guard)
        self._guard = None
