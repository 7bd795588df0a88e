"""The base of all schedules, and the length of a fit that they may depend on."""

from typing import Any, NamedTuple

import keras
from keras import ops

from kerasrecipes._checks import InputError


class FitLength(NamedTuple):
    """How long a fit is: what schedules with relative lengths need to know.

    Attributes:
        updates: Optimizer updates in the whole fit, a number or scalar tensor > 0.
        updates_per_epoch: Optimizer updates in one epoch, a number or scalar tensor > 0.

    Example:
    >>> fit = FitLength(updates=1000, updates_per_epoch=50)
    >>> fit.updates / fit.updates_per_epoch
    20.0
    """

    updates: Any
    updates_per_epoch: Any


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Base of the learning-rate schedules: a closed form of the optimizer's update count.

    A subclass implements `at(step, fit)` in `keras.ops`, and says in `needs_fit` whether any of
    its lengths is relative to the fit. Such a schedule gets its `fit` when training begins, from
    `kerasrecipes.callbacks.BindSchedule`, which recipe models and `callbacks.standard()` bring
    along. Called before that it raises, so training never runs at a silently wrong rate.

    Call arguments:
        step: Scalar integer tensor, completed optimizer updates.
    """

    fit: FitLength | None = None

    @property
    def needs_fit(self) -> bool:
        """Whether a length is given in epochs or as a share of the fit, or left to the fit."""
        return False

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` completed updates of a fit of length `fit`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `at(step, fit)`.")

    def __call__(self, step: Any) -> Any:
        """Returns the rate after `step` completed updates."""
        return self.at(step, self.checked_fit())

    def checked_fit(self) -> FitLength | None:
        """Returns `fit`; an `InputError` if it is needed and not known."""
        if self.needs_fit and self.fit is None:
            raise unknown_length(self)
        return self.fit


def unknown_length(schedule: Schedule) -> InputError:
    """Returns the error for a schedule whose length depends on a fit that is not known."""
    return InputError(
        f"The length of {type(schedule).__name__} is not known: it depends on the fit. Give all "
        "lengths in updates (such as `total_steps=1000`), train a recipe model, or pass "
        "`callbacks=kerasrecipes.callbacks.standard()` to `fit`, which takes it from "
        "`epochs` and the steps per epoch."
    )


def as_float(step: Any) -> Any:
    """Returns an update count as a tensor: float64 stays, everything else becomes float32."""
    step = ops.convert_to_tensor(step)
    dtype = keras.backend.standardize_dtype(step.dtype)
    return step if dtype == "float64" else ops.cast(step, "float32")
