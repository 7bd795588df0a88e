"""EarlyStopping."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import keras

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, check_choice, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.callbacks.monitor import MonitorCallback


@export("callbacks", saved=False)
class EarlyStopping(MonitorCallback):
    """Stops when the monitored value no longer improves, and brings the best weights back.

    An epoch improves when its value is strictly better than the best so far by more than
    `min_delta`; NaN and infinity never improve, and epochs without validation do not count.
    After `patience` epochs without improvement training stops. However it ends (patience, the
    last epoch, Ctrl-C under `Interrupt`, and for a recipe model an exception), the model then has
    the weights of its best epoch. They are kept on the device.

    With several monitors an epoch improves when any of them does. The first one decides which
    epoch is best; the thresholds and the baseline are for it, too.

    Args:
        monitor: Log entry, or None for the one that the model's target names, else "val_loss"; or
            several of these.
        patience: Epochs without improvement before the stop, int >= 0 (0 is as 1); None never
            stops for it. Defaults to 10.
        mode: "min", "max", or "auto" for the table of directions; or one for each monitor.
            Defaults to "auto".
        min_delta: By how much a value must be better, float >= 0; or one for each monitor.
            Defaults to 0.0.
        baseline: Value that the best must beat, by more than `min_delta`, for improvements to
            count. Epochs can be the best all the same. Defaults to None.
        stopping_threshold: Value that is good enough: training stops at once when it is reached,
            whatever `min_delta`. Defaults to None.
        divergence_threshold: Training stops at once when the value is worse than this, NaN or
            infinite. Defaults to None.
        start_from_epoch: Epochs at the beginning that are not counted as without improvement, and
            do not count as diverged, int >= 0. Their weights can be the best all the same.
            Defaults to 0.
        restore_best_weights: Whether to keep the weights of the best epoch and bring them back.
            Defaults to True.
        ties: Which of several epochs with exactly the best value is best, "first" or "last"; ties
            are common for accuracies. It does not count as improvement. Defaults to "first".

    Attributes:
        best: Best value so far, NaN before the first finite one.
        best_epoch: Its epoch, counted from 0, or None.
        stopped_epoch: Epoch at whose end this callback stopped the training, or None.
        reason: Why training ended, in words.

    Raises: InputError for a monitor that the metrics do not have.

    Example:
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(0.0), "mse")
    >>> x, stopping = np.ones((4, 1)), EarlyStopping("loss", patience=2)
    >>> model.fit(x, x, epochs=9, verbose=0, callbacks=[stopping]).epoch
    [0, 1, 2]
    >>> stopping.best_epoch, stopping.reason
    (0, 'loss has not improved for 2 epochs')

    Reference: Prechelt 1998, doi:10.1007/3-540-49430-8_3.
    """

    state = (
        *MonitorCallback.state,
        "others",
        "wait",
        "best_epoch",
        "best_weights",
        "stopped_epoch",
        "reason",
        "_last_epoch",
    )

    def __init__(
        self,
        monitor: str | None | Sequence[str | None] = None,
        *,
        patience: int | None = 10,
        mode: str | Sequence[str] = "auto",
        min_delta: float | Sequence[float] = 0.0,
        baseline: float | None = None,
        stopping_threshold: float | None = None,
        divergence_threshold: float | None = None,
        start_from_epoch: int = 0,
        restore_best_weights: bool = True,
        ties: str = "first",
    ) -> None:
        self.monitors: list[Any] = list(monitor) if _is_several(monitor) else [monitor]
        if not self.monitors or len(set(self.monitors)) < len(self.monitors):
            fail("monitor", "the name of a log entry, or different names", monitor)
        modes = self._for_each("mode", mode)
        deltas = self._for_each("min_delta", min_delta)
        super().__init__(self.monitors[0], mode=modes[0], min_delta=deltas[0])
        self._others = [
            MonitorCallback(name, mode=its_mode, min_delta=delta)
            for name, its_mode, delta in list(zip(self.monitors, modes, deltas, strict=True))[1:]
        ]
        self.patience = None if patience is None else check_int("patience", patience, low=0)
        self.baseline = _number("baseline", baseline)
        self.stopping_threshold = _number("stopping_threshold", stopping_threshold)
        self.divergence_threshold = _number("divergence_threshold", divergence_threshold)
        self.start_from_epoch = check_int("start_from_epoch", start_from_epoch, low=0)
        self.restore_best_weights = check_choice(
            "restore_best_weights", restore_best_weights, (True, False)
        )
        self.ties = check_choice("ties", ties, ("first", "last"))
        self._is_running = False
        self._reset()

    def _for_each(self, argument: str, value: Any) -> list[Any]:
        """Returns an argument for each monitor."""
        count = len(self.monitors)
        if not _is_several(value):
            return [value] * count
        if len(value) != count:
            fail(argument, f"one for all monitors, or one for each of the {count}", value)
        return list(value)

    def _reset(self) -> None:
        self.wait = 0
        self.best_epoch: int | None = None
        self.best_weights: list[Any] | None = None
        self.stopped_epoch: int | None = None
        self.reason = ""
        self._last_epoch: int | None = None

    @property
    def others(self) -> list[dict[str, Any]]:
        """The states of the monitors after the first."""
        return [other.state_dict() for other in self._others]

    @others.setter
    def others(self, states: Sequence[Mapping[str, Any]]) -> None:
        if len(states) != len(self._others):
            raise InputError(
                f"The state of EarlyStopping is for {len(states) + 1} monitors. Received: "
                f"{len(self.monitors)}. Watch the same entries, or begin a new training."
            )
        for other, state in zip(self._others, states, strict=True):
            other.load_state_dict(state)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Forgets the last fit."""
        super().on_train_begin(logs)
        for other in self._others:
            other.set_model(self.model)
            other.on_train_begin(logs)
        watched = [self.watched, *(other.watched for other in self._others)]
        if len(set(watched)) < len(watched):
            fail("monitor", "different names", watched)
        self._reset()
        self._is_running = True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Compares, keeps the weights of a new best, and stops when there is a reason to."""
        self._last_epoch = epoch
        value = self.monitored(logs)
        others = [v for other in self._others if (v := other.monitored(logs)) is not None]
        if value is None or len(others) < len(self._others):
            return
        improved = [other.improves(v) for other, v in zip(self._others, others, strict=True)]
        if self.improves(value):
            improved.append(True)
            self._keep(epoch)
        elif self._is_enough(value) and self.gain(value, self.best) > 0:
            self.best = value
            self._keep(epoch)
        elif self.ties == "last" and value == self.best:
            self._keep(epoch)
        if any(improved) and self._beats_baseline():
            self.wait = 0
        elif epoch >= self.start_from_epoch:
            self.wait += 1
        reason = self._why_to_stop(value, epoch)
        if reason:
            self.reason, self.stopped_epoch = reason, epoch
            self.model.stop_training = True

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = _snapshot(self.model)

    def _is_enough(self, value: float) -> bool:
        target = self.stopping_threshold
        return target is not None and math.isfinite(value) and self.gain(value, target) >= 0

    def _beats_baseline(self) -> bool:
        return self.baseline is None or self.gain(self.best, self.baseline) > self.min_delta

    def _why_to_stop(self, value: float, epoch: int) -> str:
        """Returns why training has to stop now, or ""."""
        limit = self.divergence_threshold
        if self._is_enough(value):
            return f"{self.watched} has reached {self.stopping_threshold:g}"
        if epoch < self.start_from_epoch:
            return ""
        if limit is not None and not math.isfinite(value):
            return f"{self.watched} is not finite"
        if limit is not None and self.gain(value, limit) < 0:
            return f"{self.watched} is worse than {limit:g}"
        if self.patience is None or self.wait < max(self.patience, 1):
            return ""
        if not self._beats_baseline():
            return (
                f"{self.watched} has not been better than {self.baseline:g} for {self.wait} epochs"
            )
        names = [self.watched, *(other.watched for other in self._others)]
        has = "has" if len(names) == 1 else "have"
        return f"{' and '.join(names)} {has} not improved for {self.wait} epochs"

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Brings the weights of the best epoch back."""
        if self._last_epoch is None:
            self._finish("no epoch was trained")
        elif self._last_epoch + 1 >= self.params["epochs"]:
            self._finish("all epochs were trained")
        else:
            self._finish("training was stopped")

    def close(self) -> None:
        """Brings the weights of the best epoch back after an exception."""
        if self._is_running:
            self._finish("an exception ended the training")

    def _finish(self, reason: str) -> None:
        self.reason = self.reason or reason
        if self.restore_best_weights and self._last_epoch is not None:
            if self.best_weights is None:
                self.reason += f"; {self.watched} was never finite, so the last weights stay"
            else:
                _restore(self.model, self.best_weights)
        self._note(None if self.best_weights is None else self.best_epoch)
        self.best_weights = None
        self._is_running = False

    def _note(self, kept: int | None) -> None:
        """Tells the fit's `History` which epoch the weights are of, and why the fit ended."""
        history = getattr(self.model, "history", None)
        if history is not None:
            history.best_epoch, history.stopped = kept, self.reason


def _is_several(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _number(argument: str, value: float | None) -> float | None:
    return None if value is None else check_number(argument, value)


def _snapshot(model: keras.Model) -> list[Any]:
    """Returns copies on the device; TensorFlow copies only what the next update changes."""
    return [keras.ops.copy(keras.ops.convert_to_tensor(weight)) for weight in model.weights]


def _restore(model: keras.Model, weights: Sequence[Any]) -> None:
    with _keras_internals.strategy_scope(model):
        for variable, value in zip(model.weights, weights, strict=True):
            variable.assign(value)
