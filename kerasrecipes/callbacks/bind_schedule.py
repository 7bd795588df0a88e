"""BindSchedule."""

from collections.abc import Mapping
from typing import Any

import keras

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError
from kerasrecipes._export import export
from kerasrecipes._find import find
from kerasrecipes.callbacks._rate_cut import number
from kerasrecipes.callbacks._variables import build_optimizer
from kerasrecipes.callbacks.callback import Callback
from kerasrecipes.schedules.schedule import FitLength, Schedule


@export("callbacks", saved=False)
class BindSchedule(Callback):
    """Tells schedules of relative length how long the fit is, before its first update.

    These are those of the optimizer's rate and decay, and of layers such as `ScheduledDropout`.

    With e epochs of s steps, the fit has e * s updates (fewer if gradients are accumulated), and
    the schedule counts them from the beginning of epoch 0; a fit that begins at
    `initial_epoch=k` is k * s updates in, less those that were skipped before, if the length is
    the same.
    Recipe models and `standard()` bring this callback along.

    Raises: InputError when the steps per epoch are not known.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(kr.optimizers.SGD(kr.schedules.Cosine(0.1)), "mse")
    >>> x, y = np.ones((64, 2)), np.ones((64, 1))
    >>> history = model.fit(x, y, epochs=5, verbose=0, callbacks=[BindSchedule()])
    >>> round(float(model.optimizer.learning_rate), 4)
    0.0
    """

    state = ("start",)

    def __init__(self) -> None:
        super().__init__()
        self._epoch: int | None = None
        self.start: int | None = None  # updates that the optimizer had made before the fit

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Asks for the length at the beginning of the first epoch, which tells where that is."""
        self._epoch = self.start = None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Binds the schedule once in a fit."""
        if self._epoch is None:
            self._epoch = epoch
            self._bind_at(epoch)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from there, also within the first epoch, when the schedule is bound already."""
        super().load_state_dict(state)
        if self._epoch is not None:
            self._bind_at(self._epoch, goes_on=True)

    def _bind_at(self, epoch: int, *, goes_on: bool = False) -> None:
        optimizer = _keras_internals.inner_optimizer(self.model.optimizer)
        schedule = _keras_internals.learning_rate_schedule(optimizer)
        for each in (schedule, getattr(optimizer, "decay_schedule", None)):
            if isinstance(each, Schedule) and each.needs_fit:
                self._bind(optimizer, each, epoch)
                break
        for layer in find(self.model, keras.layers.Layer):
            if hasattr(layer, "bind_fit") and layer.schedule.needs_fit:
                self._bind_layer(layer, epoch, goes_on)

    def _bind_layer(self, layer: Any, epoch: int, goes_on: bool) -> None:
        steps = self._steps(layer.schedule)
        done = int(number(layer.batches))  # of the epoch too, where `Checkpoint` has loaded it
        lengths = {"steps": self.params["epochs"] * steps, "steps_per_epoch": steps}
        layer.bind_fit(epoch=epoch, **lengths)
        if goes_on:
            layer.batches.assign(done)

    def _steps(self, schedule: Schedule) -> int:
        steps = self.params.get("steps")
        if not steps:
            raise InputError(
                f"The length of {type(schedule).__name__} depends on the steps per epoch, which "
                "the data does not tell. Pass `steps_per_epoch` to `fit`, or give the "
                "schedule's lengths in updates."
            )
        return steps

    def _bind(self, optimizer: Any, schedule: Schedule, epoch: int) -> None:
        steps = self._steps(schedule)
        total = self.params["epochs"] * steps
        if hasattr(optimizer, "bind_fit"):
            build_optimizer(self.model)
            optimizer.bind_fit(epoch=epoch, steps=total, steps_per_epoch=steps)
            if self.start is not None:  # skipped updates make it differ from what `epoch` tells
                optimizer.fit_start.assign(self.start)
            self.start = int(number(optimizer.fit_start))
        else:
            self._bind_plain(schedule, FitLength(total, steps), optimizer, epoch)

    def _bind_plain(self, schedule: Schedule, fit: FitLength, optimizer: Any, epoch: int) -> None:
        begun = int(number(optimizer.iterations))
        off = begun != epoch * fit.updates_per_epoch and not self._goes_on_within_epoch()
        if off or schedule.fit not in (None, fit):
            raise InputError(
                f"{type(schedule).__name__} cannot be bound to a second fit by a plain Keras "
                f"{type(optimizer).__name__}. Use the optimizer of `kerasrecipes.optimizers`, "
                "or give the schedule's lengths in updates."
            )
        schedule.fit = fit

    def _goes_on_within_epoch(self) -> bool:
        """Returns whether `Checkpoint` sets the updates made, in a later step of this epoch."""
        return any((getattr(each, "resumed", None) or (0, 0))[1] for each in self.siblings())
