"""EarlyStopping."""

from collections.abc import Mapping
from typing import Any

import keras

from kerasrecipes._checks import check_int
from kerasrecipes._export import export
from kerasrecipes.callbacks.monitor import MonitorCallback


@export("callbacks", saved=False)
class EarlyStopping(MonitorCallback):
    """Stops when the monitored value no longer improves, and brings the best weights back.

    An epoch improves when its value is strictly better than the best so far by more than
    `min_delta`; NaN and infinity never improve, and epochs without validation do not count.
    After `patience` epochs without improvement training stops. However it ends (patience, the
    last epoch, Ctrl-C under `Interrupt`), the model then has the weights of its best epoch.
    They are kept on the device.

    Args:
        monitor: Log entry, or None for the one that the model's target names, else "val_loss".
        patience: Epochs without improvement before the stop, int >= 0; None never stops, and
            only brings the best weights back. Defaults to 10.
        mode: "min", "max", or "auto" for the table of directions. Defaults to "auto".
        min_delta: By how much a value must be better, float >= 0. Defaults to 0.0.
        start_from_epoch: Epochs at the beginning that are not counted as without improvement,
            int >= 0. Their weights can be the best all the same. Defaults to 0.

    Attributes:
        best: Best value so far, NaN before the first finite one.
        best_epoch: Its epoch, counted from 0, or None.
        stopped_epoch: Epoch at whose end this callback stopped the training, or None.
        reason: Why training ended, in words.

    Raises: InputError for a monitor that the metrics do not have.

    Example:
    >>> stopping = EarlyStopping("val_accuracy", patience=5)
    >>> stopping.patience
    5

    Reference: Prechelt 1998, doi:10.1007/3-540-49430-8_3.
    """

    def __init__(
        self,
        monitor: str | None = None,
        *,
        patience: int | None = 10,
        mode: str = "auto",
        min_delta: float = 0.0,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode=mode, min_delta=min_delta)
        self.patience = None if patience is None else check_int("patience", patience, low=0)
        self.start_from_epoch = check_int("start_from_epoch", start_from_epoch, low=0)
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.best_epoch: int | None = None
        self.stopped_epoch: int | None = None
        self.reason = ""
        self._best_weights: list[Any] | None = None
        self._last_epoch: int | None = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Forgets the last fit."""
        super().on_train_begin(logs)
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Compares, keeps the weights of a new best, and stops when patience runs out."""
        self._last_epoch = epoch
        value = self.monitored(logs)
        if value is None:
            return
        if self.better(value):
            self.best, self.best_epoch, self.wait = value, epoch, 0
            self._best_weights = _snapshot(self.model)
        elif epoch >= self.start_from_epoch:
            self.wait += 1
        if self.patience is not None and self.wait >= max(self.patience, 1):
            self.stopped_epoch = epoch
            self.reason = f"{self.watched} has not improved for {self.wait} epochs"
            self.model.stop_training = True

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Brings the weights of the best epoch back."""
        self.check_seen()
        if not self.reason:
            last = self._last_epoch is not None and self._last_epoch + 1 >= self.params["epochs"]
            self.reason = "all epochs were trained" if last else "training was stopped"
        if self._last_epoch is None:
            self.reason = "no epoch was trained"
        elif self._best_weights is None:
            self.reason += f"; {self.watched} was never finite, so the last weights stay"
        else:
            for variable, value in zip(self.model.weights, self._best_weights, strict=True):
                variable.assign(value)
        self._best_weights = None


def _snapshot(model: keras.Model) -> list[Any]:
    return [keras.ops.copy(keras.ops.convert_to_tensor(weight)) for weight in model.weights]
