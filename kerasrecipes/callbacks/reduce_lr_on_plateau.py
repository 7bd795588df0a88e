"""ReduceLROnPlateau."""

from collections.abc import Mapping
from typing import Any

from kerasrecipes import _keras_internals
from kerasrecipes._checks import check_int, check_number
from kerasrecipes._export import export
from kerasrecipes.callbacks._rate_cut import number, rate_variable
from kerasrecipes.callbacks._variables import build_optimizer
from kerasrecipes.callbacks.monitor import MonitorCallback

ROUNDING = 1 + 1e-6
"""A rate at the floor may be above it by what float32 rounds."""


@export("callbacks", saved=False)
class ReduceLROnPlateau(MonitorCallback):
    """Cuts the learning rate when the monitored value no longer improves.

    After `patience` epochs without improvement the rate r of the next update becomes
        max(factor * r, min_lr)
    and the `cooldown` epochs that follow are not counted. Improvement is that of `EarlyStopping`:
    strictly better than the best so far by more than `min_delta`, and never NaN or infinite.

    Every schedule of an optimizer of this package is cut as a whole: its rate is multiplied by the
    product of all cuts, `optimizer.rate_factor`. A cut never brings the rate below `min_lr`; a
    schedule may go lower by itself. A constant rate can be that of any optimizer, and
    `LearningRateScheduler` keeps the cuts.

    Args:
        monitor: Log entry, or None for the one that the model's target names, else "val_loss".
        factor: Factor of the rate, in (0, 1). Defaults to 0.1.
        patience: Epochs without improvement before a cut, int >= 0 (0 is as 1). Less than that of
            `EarlyStopping`, or it never acts. Defaults to 5.
        mode: "min", "max", or "auto" for the table of directions. Defaults to "auto".
        min_delta: By how much a value must be better, float >= 0. Defaults to 0.0, where Keras
            has 1e-4.
        cooldown: Epochs after a cut that are not counted, int >= 0; Keras counts the last of
            them. Defaults to 0.
        min_lr: Rate that no cut goes below, float >= 0. Defaults to 0.0.

    Attributes:
        cuts: Epochs at whose ends the rate was cut in this fit, counted from 0.

    Raises: InputError before training for a rate that cannot be cut, as a schedule in an
        optimizer of Keras, and for a monitor that the metrics do not have.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(kr.optimizers.SGD(kr.schedules.Cosine(1e-9)), "mse")  # hardly learns
    >>> x, plateau = np.ones((4, 1)), ReduceLROnPlateau("loss", patience=2, min_delta=0.01)
    >>> bind = kr.callbacks.BindSchedule()
    >>> history = model.fit(x, x, epochs=6, verbose=0, callbacks=[bind, plateau])
    >>> plateau.cuts, round(float(model.optimizer.rate_factor), 4)
    ([2, 4], 0.01)
    """

    state = (*MonitorCallback.state, "wait", "cuts", "_cooldown_left")

    def __init__(
        self,
        monitor: str | None = None,
        *,
        factor: float = 0.1,
        patience: int = 5,
        mode: str = "auto",
        min_delta: float = 0.0,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode=mode, min_delta=min_delta)
        self.factor = check_number(
            "factor", factor, low=0.0, high=1.0, open_low=True, open_high=True
        )
        self.patience = check_int("patience", patience, low=0)
        self.cooldown = check_int("cooldown", cooldown, low=0)
        self.min_lr = check_number("min_lr", min_lr, low=0.0)
        self._reset()

    def _reset(self) -> None:
        self.wait = self._cooldown_left = 0
        self.cuts: list[int] = []

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Forgets the last fit; a rate that cannot be cut is refused."""
        super().on_train_begin(logs)
        self._reset()
        build_optimizer(self.model)
        rate_variable(self.model, what="ReduceLROnPlateau")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Compares, and cuts the rate when patience runs out."""
        value = self.monitored(logs)
        if value is None:
            return
        improved = self.improves(value)
        if self._cooldown_left:
            self._cooldown_left -= 1
        else:
            self.wait = 0 if improved else self.wait + 1
        if self.wait >= max(self.patience, 1) and self._cut():
            self.cuts.append(epoch)
            self.wait, self._cooldown_left = 0, self.cooldown

    def _cut(self) -> bool:
        """Lowers the rate; returns whether it was above the floor."""
        optimizer = _keras_internals.inner_optimizer(self.model.optimizer)
        rate = number(optimizer.learning_rate)
        if rate <= self.min_lr * ROUNDING:
            return False
        variable = rate_variable(self.model, what="ReduceLROnPlateau")
        share = max(self.factor, self.min_lr / rate)
        with _keras_internals.strategy_scope(self.model):
            variable.assign(number(variable) * share)
        return True
