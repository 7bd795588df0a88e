"""The one place that compares: directions of metrics, and when a value is better than the best."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from kerasrecipes._checks import InputError, check_choice, check_number, did_you_mean
from kerasrecipes.callbacks.callback import Callback

_MIN = (
    "loss crossentropy error mae mse msle mape rmse deviation divergence huber logcosh log_cosh "
    "hinge poisson entropy false_positives false_negatives nll perplexity"
).split()
_MAX = (
    "accuracy acc auc precision recall f1 fbeta f_beta r2 iou io_u similarity true_positives "
    "true_negatives sensitivity specificity kappa correlation pearson spearman mcc dice map ndcg "
    "mrr concordance"
).split()


EPOCHS_WITHOUT_VALIDATION = 10
"""`fit` does not tell callbacks its `validation_freq`, so this many epochs may go without."""


def direction(name: str, mode: str = "auto") -> str:
    """Returns "min" or "max", whichever is better for the log entry `name`.

    Args:
        name: Log entry such as "val_f1_score" or "val_head_auc_1".
        mode: "min" or "max", or "auto" to look the name up in the table of directions, where
            whole words of the name count, the last one first.

    Raises: InputError for a name that the table does not know.

    Example:
    >>> direction("val_loss"), direction("val_f1_score"), direction("val_auc_1")
    ('min', 'max', 'max')
    """
    if check_choice("mode", mode, ("auto", "min", "max")) != "auto":
        return mode
    words = f"_{name.lower()}_"
    found = [
        (match.end(), len(key), better)
        for better, keys in (("min", _MIN), ("max", _MAX))
        for key in keys
        for match in re.finditer(f"_{key}(?=_)", words)
    ]
    if not found:
        raise InputError(
            f"`mode` is needed for monitor={name!r}: whether lower or higher is better does not "
            "follow from the name. Give mode='min' or mode='max'."
        )
    return max(found)[2]


class MonitorCallback(Callback):
    """Base of the callbacks that watch one log entry.

    `better` says whether a value is strictly better than the best so far, by more than
    `min_delta`; NaN and infinity never are. A monitor that the logs do not have is an error.

    Args:
        monitor: Log entry, or None for the one that the model's target names, else "val_loss".
        mode: "min", "max", or "auto" for the table of directions.
        min_delta: By how much a value must be better, float >= 0.

    Attributes:
        best: Best value so far, NaN before the first finite one.
        watched: The log entry that is watched, from the beginning of the fit.
        direction: Which way is better, "min" or "max", from the beginning of the fit.
    """

    state = ("best", "watched", "_missing", "_seen", "_available")

    def __init__(
        self, monitor: str | None = None, *, mode: str = "auto", min_delta: float = 0.0
    ) -> None:
        super().__init__()
        if monitor is not None and not isinstance(monitor, str):
            raise InputError(f"`monitor` must be the name of a log entry. Received: {monitor!r}.")
        self.monitor = monitor
        self.mode = check_choice("mode", mode, ("auto", "min", "max"))
        self.min_delta = check_number("min_delta", min_delta, low=0.0)
        self.watched = monitor or ""
        if monitor is not None:
            direction(monitor, mode)
        self._forget()

    def _forget(self) -> None:
        self.best = math.nan
        self._missing, self._seen = 0, False
        self._available: list[str] = []

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Resolves the monitor and its direction, before anything trains."""
        target = getattr(self.model, "target", None)
        self.watched = self.monitor or getattr(target, "monitor", "val_loss")
        self.direction = direction(self.watched, self.mode)
        self._forget()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state_dict` returned; a best of another log entry is refused."""
        was = state.get("watched", self.watched)
        if self.watched and was != self.watched:
            raise InputError(
                f"The state of {type(self).__name__} is for monitor={was!r}. Received: "
                f"{self.watched!r}. Watch the same entry, or begin a new training."
            )
        super().load_state_dict(state)

    def improves(self, value: float) -> bool:
        """Returns whether `value` is the best so far, and remembers it if so."""
        improved = self.better(value)
        if improved:
            self.best = value
        return improved

    def better(self, value: float) -> bool:
        """Returns whether `value` is finite, and strictly better than `best` by `min_delta`."""
        if not math.isfinite(value):
            return False
        if math.isnan(self.best):
            return True
        return self.gain(value, self.best) > self.min_delta

    def gain(self, value: float, other: float) -> float:
        """Returns by how much `value` is better than `other`; NaN if one of them is NaN."""
        return value - other if self.direction == "max" else other - value

    def monitored(self, logs: Mapping[str, Any] | None) -> float | None:
        """Returns the watched value; None in an epoch without validation.

        Raises: InputError for a name that the metrics do not have, and for a validation entry
            that has been missing for more than `EPOCHS_WITHOUT_VALIDATION` epochs.
        """
        logs = logs or {}
        if self.watched in logs:
            self._missing, self._seen = 0, True
            return float(logs[self.watched])
        self._missing += 1
        self._available = list(logs)
        validated = any(name.startswith("val_") for name in logs)
        misspelt = self.watched.removeprefix("val_") not in logs or validated
        if misspelt or self._missing > EPOCHS_WITHOUT_VALIDATION:
            raise missing_monitor(self.watched, logs)
        return None

    def check_seen(self) -> None:
        """Refuses, at the end of training, a validation entry that no epoch ever had."""
        interrupted = any(getattr(each, "interrupted", False) for each in self.siblings())
        if self._missing and not self._seen and not interrupted:
            raise missing_monitor(self.watched, self._available)


def missing_monitor(monitor: str, available: Iterable[str]) -> InputError:
    """Returns the error for a monitor that the logs do not have."""
    available = sorted(available)
    unvalidated = monitor.removeprefix("val_") in available
    remedy = (
        "Pass `validation_data` to `fit`, or monitor a training metric."
        if unvalidated
        else did_you_mean(monitor, available)
    )
    return InputError(
        f"`monitor` must be one of the logs' entries {', '.join(available)}. "
        f"Received: {monitor!r}. {remedy}".strip()
    )
