"""TimeBudget."""

import datetime
import time
from collections.abc import Mapping
from typing import Any

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.callbacks._agreement import Agreement
from kerasrecipes.callbacks.callback import Callback

MARGIN = 1.1
"""An epoch, and what follows the last batch, may take this much longer than ever before."""


@export("callbacks", saved=False)
class TimeBudget(Callback):
    """Ends the training in time for everything after the last batch to be done within the budget.

    With T the budget, t the time since the fit began, E that of the longest epoch so far
    (validation, the other callbacks and saving included) and C the longest time from the last
    batch of an epoch to its very end:
        after an epoch  training stops if   t + 1.1 E > T,
        before a batch  it is the last one if   t + 1.1 C >= T.
    So it nearly always stops between two epochs. The first epoch, of which nothing is known, may
    end up to C late. Stopping leaves the fit as Ctrl-C under `Interrupt` does: the best weights
    come back, and a `Checkpoint` goes on from there when the program starts again.

    The budget is that of one call of `fit`: the time limits of batch systems are those of a
    process, so a program that goes on has all of it again. It still knows E and C. Leave some
    time for what the program does before and after `fit`.

    Several workers (`kerasrecipes.distribute`) stop together when the time of one of them is up.
    They ask one another every two seconds or 64 batches, so t then includes the time until they
    ask again.

    Args:
        seconds: The budget, float > 0 or a `datetime.timedelta`.

    Attributes:
        interrupted: Whether this callback ended the last fit.

    Example:
    >>> import datetime
    >>> TimeBudget(datetime.timedelta(hours=2)).seconds
    7200.0
    """

    state = ("_longest_epoch", "_longest_end")

    needs_every_batch = False

    def __init__(self, seconds: float | datetime.timedelta) -> None:
        super().__init__()
        if isinstance(seconds, datetime.timedelta):
            seconds = seconds.total_seconds()
        self.seconds = check_number(
            "seconds", seconds, low=0.0, open_low=True, remedy="Or pass a `datetime.timedelta`."
        )
        self.interrupted = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Starts the clock."""
        self.interrupted = False
        self._begun = time.monotonic()
        self._longest_epoch = self._longest_end = 0.0
        self._epoch_began: float | None = None
        self._agreement = Agreement(self.model)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Measures the epoch before, which has come to its very end."""
        now = time.monotonic()
        if self._epoch_began is not None:
            self._longest_epoch = max(self._longest_epoch, now - self._epoch_began)
            self._longest_end = max(self._longest_end, now - self._batch_began)
        self._epoch_began = self._batch_began = now

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Makes this batch the last one if the time is up."""
        self._batch_began = now = time.monotonic()
        if self.interrupted or not self._agreement.is_due():
            return
        until_next = self._agreement.space()
        spent = now - self._begun + until_next + MARGIN * self._longest_end
        if self._agreement.any(spent >= self.seconds):
            self._stop()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Stops if another epoch would take too long."""
        if self._epoch_began is None or epoch + 1 >= self.params["epochs"]:
            return
        now = time.monotonic()
        longest = max(self._longest_epoch, now - self._epoch_began)
        if self._agreement.any(now - self._begun + MARGIN * longest > self.seconds):
            self._stop()

    def _stop(self) -> None:
        self.interrupted = True
        self.model.stop_training = True
