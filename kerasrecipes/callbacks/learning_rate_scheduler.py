"""LearningRateScheduler."""

import inspect
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import keras

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, check_choice, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.callbacks._rate_cut import number
from kerasrecipes.callbacks.callback import Callback


@export("callbacks", saved=False)
class LearningRateScheduler(Callback):
    """Sets the learning rate to what a function of yours says, for each epoch or each update.

    With the function f, and the product c of all cuts that others made in this fit
    (`ReduceLROnPlateau`, `NonFinite`, you):
        rate = c * f(epoch)   or   rate = c * f(epoch, last)
    where `last` is what f returned before, at first the rate of the optimizer. So a cut stays,
    which Keras's callback of this name would undo.

    It is for constant rates, of any optimizer. For a function that is written with `keras.ops`, a
    schedule in the optimizer costs less: "update" reads the count of updates and the rate from the
    device before each one, so the next batch waits for the last.

    Args:
        schedule: Function of one or two positional arguments that returns a finite number >= 0.
        by: "epoch", which counts from 0, or "update", the number of updates that the optimizer
            has made, `optimizer.iterations`. Defaults to "epoch".

    Attributes:
        factor: The product of the cuts, c.

    Raises: InputError before training if the optimizer has a schedule, if another
        `LearningRateScheduler` is there, and for "update" with several steps per execution; in
        training if the function returns something else.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(0.5), "mse")
    >>> halve = LearningRateScheduler(lambda epoch, rate: rate if epoch < 2 else rate / 2)
    >>> log, x = kr.callbacks.LearningRateLog(), np.ones((4, 1))
    >>> history = model.fit(x, x, epochs=4, verbose=0, callbacks=[halve, log])
    >>> history.history["learning_rate"]
    [0.5, 0.5, 0.25, 0.125]
    """

    state = ("factor", "_last", "_set", "_update")

    def __init__(self, schedule: Callable[..., Any], *, by: str = "epoch") -> None:
        super().__init__()
        self.schedule = schedule
        self._takes_rate = _takes_rate(schedule)
        self.by = check_choice("by", by, ("epoch", "update"))
        self.factor = 1.0

    @property
    def needs_every_batch(self) -> bool:
        """Whether the rate is set at each update."""
        return self.by == "update"

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Starts with the optimizer's rate; one that cannot be set is refused."""
        self._check()
        self.factor, self._update = 1.0, -1
        self._last = self._set = number(self._rate())

    def _check(self) -> None:
        optimizer = _keras_internals.inner_optimizer(self.model.optimizer)
        if not isinstance(self._rate(), keras.Variable):
            raise InputError(
                f"LearningRateScheduler sets the learning rate, but that of "
                f"{type(optimizer).__name__} comes from {type(self._rate()).__name__}. Compile the "
                "model with a constant rate, or leave LearningRateScheduler out."
            )
        if sum(isinstance(each, LearningRateScheduler) for each in self.siblings()) > 1:
            raise InputError("A fit can have one LearningRateScheduler only. Leave the others out.")
        if self.by == "update" and self.model.steps_per_execution != 1:
            raise InputError(
                f"LearningRateScheduler cannot set the rate of each update with "
                f"steps_per_execution={self.model.steps_per_execution}. Compile the model with "
                'steps_per_execution=1, use by="epoch", or give the optimizer a schedule.'
            )

    def _rate(self) -> Any:
        """Returns the variable that holds the rate."""
        optimizer = _keras_internals.inner_optimizer(self.model.optimizer)
        return _keras_internals.learning_rate_schedule(optimizer)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Sets the rate of the epoch."""
        if self.by == "epoch":
            self._apply(epoch)

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Sets the rate of the next update."""
        if self.by == "epoch":
            return
        optimizer = _keras_internals.inner_optimizer(self.model.optimizer)
        update = int(number(optimizer.iterations))
        if update != self._update:
            self._update = update
            self._apply(update)

    def _apply(self, position: int) -> None:
        """Sets the rate; what others have multiplied it by since the last time is kept."""
        variable = self._rate()
        now = number(variable)
        if self._set:
            self.factor *= now / self._set
        arguments = (position, self._last) if self._takes_rate else (position,)
        value = self.schedule(*arguments)
        if not isinstance(value, numbers.Real):
            value = _scalar(value)
        self._last = check_number(f"schedule({position})", value, low=0.0)
        with _keras_internals.strategy_scope(self.model):
            variable.assign(self._last * self.factor)
        self._set = number(variable)


def _takes_rate(schedule: Any) -> bool:
    """Returns whether a function takes the last rate as a second argument."""
    if not callable(schedule):
        fail("schedule", "a function of the epoch or update", schedule)
    try:
        parameters = list(inspect.signature(schedule).parameters.values())
    except ValueError:  # a function without a signature, such as some that are written in C
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [p for p in parameters if p.kind in kinds]
    needed = [p for p in positional if p.default is p.empty]
    if len(needed) > 2 or not (positional or any(p.kind is p.VAR_POSITIONAL for p in parameters)):
        fail("schedule", "a function of one or two positional arguments", schedule)
    return len(needed) == 2


def _scalar(value: Any) -> Any:
    """Returns the number in a scalar tensor; anything else as it is."""
    try:
        return number(value)
    except (TypeError, ValueError):
        return value
