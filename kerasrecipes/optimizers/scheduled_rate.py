"""Learning rates that follow a schedule, its place in the fit, and a factor."""

import contextlib
import numbers
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError, check_number
from kerasrecipes._keras_internals import learning_rate_schedule
from kerasrecipes.optimizers.replicas import add_shared
from kerasrecipes.optimizers.update_hook import UpdateHook
from kerasrecipes.schedules.schedule import FitLength, Schedule, unknown_length


class ScheduledRate:
    """The part of `PracticeMixin` that knows the rate and the momentum of the next update.

    Args:
        learning_rate: Float >= 0, a schedule, or a function without arguments.
        **kwargs: Arguments of the next class.
    """

    built: bool
    iterations: Any
    accumulation_steps: int
    hooks: tuple[UpdateHook, ...] = ()

    def __init__(self, learning_rate: Any, **kwargs: Any) -> None:
        if not callable(learning_rate):
            remedy = "Or give a schedule, or a function without arguments."
            learning_rate = check_number("learning_rate", learning_rate, low=0.0, remedy=remedy)
        super().__init__(learning_rate, **kwargs)  # type: ignore[call-arg]
        self._use_rate(learning_rate)
        self._fit_is_bound = False

    def _use_rate(self, learning_rate: Any) -> None:
        keras_schedule = keras.optimizers.schedules.LearningRateSchedule
        self._is_scheduled = isinstance(learning_rate, keras_schedule)
        self.schedule = learning_rate if isinstance(learning_rate, Schedule) else None

    def build(self, variables: Sequence[Any]) -> None:
        """Creates the variables that tell the factor and the fit."""
        optimizer: Any = super()
        optimizer.build(variables)
        self.rate_factor = add_shared(self, "rate_factor", initializer="ones")
        self.fit_start = add_shared(self, "fit_start", dtype="int32")
        self.fit_steps = add_shared(self, "fit_steps", dtype="int32")
        self.fit_steps_per_epoch = add_shared(self, "fit_steps_per_epoch", dtype="int32")

    def load_own_variables(self, store: Any) -> None:
        """Loads the optimizer's variables; a schedule goes on in the fit that was saved."""
        optimizer: Any = super()
        optimizer.load_own_variables(store)
        self._fit_is_bound = self.built and number(self.fit_steps) > 0

    def bind_fit(self, *, epoch: int, steps: int, steps_per_epoch: int) -> None:
        """Tells a schedule of relative length which fit it is in.

        A fit of the same length that goes on at an epoch > 0 goes on where the schedule is, which
        is earlier than the epoch tells if updates were skipped.

        Args:
            epoch: The epoch that begins now.
            steps: Batches in the whole fit.
            steps_per_epoch: Batches in one epoch.
        """
        if not self.built:
            raise InputError("`bind_fit` needs a built optimizer. Call `build(variables)` first.")
        done = epoch * steps_per_epoch // self.accumulation_steps
        updates, begun = int(number(self.iterations)), int(number(self.fit_start))
        bound = number(self.fit_steps), number(self.fit_steps_per_epoch)
        if epoch == 0 or bound != (steps, steps_per_epoch) or not 0 < updates - begun < done:
            begun = updates - done
        self.fit_start.assign(begun)
        self.fit_steps.assign(steps)
        self.fit_steps_per_epoch.assign(steps_per_epoch)
        self._fit_is_bound = True

    @property
    def learning_rate(self) -> Any:
        """The rate of the next update: schedule(update) * rate_factor, or the constant rate.

        Hooks may multiply it.
        """
        rate = self._own_rate()
        for hook in self.hooks:
            if hook.rate_factor is not None:
                rate = rate * ops.convert_to_tensor(hook.rate_factor)
        return rate

    def _own_rate(self) -> Any:
        if not self._is_scheduled:
            return super().learning_rate  # type: ignore[misc]
        if self.schedule is None:
            rate = learning_rate_schedule(self)(self.iterations)
        else:
            rate = self.schedule.at(*self._place(self.schedule))
        return rate * ops.convert_to_tensor(self.rate_factor) if self.built else rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        fixed = isinstance(value, numbers.Real)
        if self._is_scheduled and fixed:
            raise InputError(
                "`learning_rate` is a schedule, which a number cannot replace. Set `rate_factor` "
                "to cut the scheduled rate, or compile the model again with a constant rate."
            )
        if not fixed and callable(value) and self.built and number(self.iterations) > 0:
            raise InputError(
                "`learning_rate` cannot become a schedule once updates were made, since the "
                "training step is already traced. Compile the model again."
            )
        keras.optimizers.Optimizer.learning_rate.fset(self, value)  # type: ignore[attr-defined]
        self._use_rate(value)

    def scheduled_momentum(self, dtype: Any) -> Any:
        """Returns the momentum that the schedule asks for now, or None if it asks for none."""
        if self.schedule is None:
            return None
        momentum = self.schedule.momentum_at(*self._place(self.schedule))
        return None if momentum is None else ops.cast(momentum, dtype)

    def schedule_value(self, schedule: Schedule) -> Any:
        """Returns what a schedule is at the next update."""
        return schedule.at(*self._place(schedule))

    def _place(self, schedule: Schedule) -> tuple[Any, FitLength | None]:
        """Returns the update that the schedule is at, and the length of the fit."""
        if not schedule.needs_fit:
            return self.iterations, schedule.fit
        if not self._fit_is_bound:
            raise unknown_length(schedule)
        lengths = self.fit_steps.value, self.fit_steps_per_epoch.value
        if self.accumulation_steps > 1:
            lengths = tuple(length / self.accumulation_steps for length in lengths)
        return self.iterations - self.fit_start, FitLength(*lengths)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable, with the momentum that the schedule asks for."""
        optimizer: Any = super()
        with self._following(variable.dtype):
            optimizer.update_step(gradient, variable, learning_rate)

    @contextlib.contextmanager
    def _following(self, dtype: Any) -> Iterator[None]:
        """Lets `beta_1`, which Keras optimizers read as an attribute, follow the schedule."""
        own = getattr(self, "beta_1", None)
        momentum = None if own is None else self.scheduled_momentum(dtype)
        if momentum is None:
            yield
            return
        self.beta_1 = momentum
        try:
            yield
        finally:
            self.beta_1 = own


def number(variable: Any) -> float:
    """Returns the value of a scalar variable, also of one that several replicas share."""
    return keras.ops.convert_to_numpy(variable).item()
