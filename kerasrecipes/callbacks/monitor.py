"""The one place that compares: directions of metrics, and when a value is better than the best."""

import math
import re
from collections.abc import Mapping
from typing import Any

import keras

from kerasrecipes import _keras_internals
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
# Keras logs a metric that it was given by name as it was written, such as "RootMeanSquaredError".
_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_USUAL = [f"{part}{name}" for name in (*_MIN, *_MAX) for part in ("", "val_")]


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
    words = f"_{_BETWEEN_WORDS.sub('_', name).lower()}_"
    found = [
        (match.end(), len(key), better)
        for better, keys in (("min", _MIN), ("max", _MAX))
        for key in keys
        for match in re.finditer(f"_{key}(?=_)", words)
    ]
    if not found:
        message = (
            f"`mode` is needed for monitor={name!r}: whether lower or higher is better does not "
            f"follow from the name. Give mode='min' or mode='max'. {did_you_mean(name, _USUAL)}"
        )
        raise InputError(message.strip())
    return max(found)[2]


def missing_validation(callback: keras.callbacks.Callback, monitor: str) -> InputError:
    """Returns the error for a callback that watches validation in a fit that has none."""
    return InputError(
        f"`validation_data` is missing: {type(callback).__name__} watches {monitor!r}. Pass "
        "`validation_data` or `validation_split` to `fit`, or set `monitor` to a training metric "
        f"such as {monitor.removeprefix('val_')!r}."
    )


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

    state = ("best", "watched")

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
        self.best = math.nan
        self._validates = True

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Resolves the monitor and its direction, before anything trains."""
        target = getattr(self.model, "target", None)
        self.watched = self.monitor or getattr(target, "monitor", "val_loss")
        self.direction = direction(self.watched, self.mode)
        self.best = math.nan
        given = _keras_internals.fit_arguments(self)
        self._validates = given.get("validation_data", "unknown") is not None
        if self.watched.startswith("val_") and not self._validates and not self._has_others():
            raise missing_validation(self, self.watched)

    def _has_others(self) -> bool:
        """Returns whether the fit has callbacks of the user's own, which may add to the logs."""
        known = ("keras", "kerasrecipes")
        return any(type(each).__module__.split(".")[0] not in known for each in self.siblings())

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

        Raises: InputError for a name that the metrics do not have.
        """
        logs = logs or {}
        if self.watched in logs:
            return float(logs[self.watched])
        validated = any(name.startswith("val_") for name in logs)
        if validated or not self._validates or self.watched.removeprefix("val_") not in logs:
            raise InputError(
                f"`monitor` must be one of the logs' entries {', '.join(sorted(logs))}. "
                f"Received: {self.watched!r}. {did_you_mean(self.watched, sorted(logs))}".strip()
            )
        return None
