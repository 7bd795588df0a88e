"""The base of all schedules."""

import functools
import inspect
import math
import numbers
from collections.abc import Callable
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from kerasrecipes._checks import InputError, check_int
from kerasrecipes._export import lookup
from kerasrecipes.schedules.duration import Duration, FitLength


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Base of the learning-rate schedules: a closed form of the optimizer's update count.

    A subclass implements `at(step, fit)` in `keras.ops`, for steps of any shape, and keeps each
    argument in an attribute of the same name, which is what `get_config` returns. It reads its
    lengths with `duration(...)` into attributes too. A schedule with a length that is relative
    to the fit gets its `fit` when training begins, from `kerasrecipes.callbacks.BindSchedule`,
    which recipe models and `callbacks.standard()` bring along. Called before that it raises, so
    training never runs at a silently wrong rate.

    Call arguments:
        step: Scalar tensor, completed optimizer updates. An integer is computed with in float64,
            since float32 tells updates apart up to 2**24 only (JAX has but float32, and Keras
            rounds to it in places on torch); a float32 or float64 in its own dtype.

    Returns: Scalar tensor, float32, or float64 for a float64 step.

    Example:
    >>> import kerasrecipes as kr
    >>> schedule = kr.schedules.Constant(0.5).then(kr.schedules.Cosine(0.5, total=4), after=2)
    >>> schedule = schedule.scale(2.0).warm_up(1)
    >>> [round(float(schedule(t)), 3) for t in range(8)]
    [0.5, 1.0, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """

    fit: FitLength | None = None

    _shown_lengths = 1.2

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Has `at` and `momentum_at` of a subclass compute with exact update counts."""
        super().__init_subclass__(**kwargs)
        for name in {"at", "momentum_at"} & vars(cls).keys():
            setattr(cls, name, _exact(vars(cls)[name]))

    @property
    def needs_fit(self) -> bool:
        """Whether a length is given in epochs or as a share of the fit, or left to the fit."""
        return any(map(_is_relative, vars(self).values()))

    def at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the rate after `step` completed updates of a fit of length `fit`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `at(step, fit)`.")

    def momentum_at(self, step: Any, fit: FitLength | None) -> Any:
        """Returns the momentum (or beta_1) that goes with the rate; None: the optimizer's own."""
        return None

    def __call__(self, step: Any) -> Any:
        """Returns the rate after `step` completed updates."""
        return self.at(step, self.checked_fit())

    def checked_fit(self) -> FitLength | None:
        """Returns `fit`; an `InputError` if it is needed and not known."""
        if self.needs_fit and self.fit is None:
            raise unknown_length(self)
        return self.fit

    def values(self, steps: Any, fit: FitLength | None = None) -> np.ndarray:
        """Returns the rates after `steps` updates, computed in float64 (JAX: float32).

        Args:
            steps: Array of update counts, any shape.
            fit: Length of the fit. Defaults to None, the one the schedule is bound to.
        """
        steps = ops.convert_to_tensor(np.asarray(steps), _WIDEST)
        rates = self.at(steps, self.checked_fit() if fit is None else fit)
        return ops.convert_to_numpy(rates).astype("float64")

    def then(self, other: Any, *, after: Any) -> "Schedule":
        """Returns this schedule for the length `after`, and from then on `other`; see `Then`."""
        return lookup("schedule", "schedules", "Then")(self, other=other, after=after)

    def scale(self, factor: float) -> "Schedule":
        """Returns this schedule times `factor`; see `Scale`."""
        return lookup("schedule", "schedules", "Scale")(self, factor=factor)

    def warm_up(self, length: Any) -> "Schedule":
        """Returns this schedule after a linear rise of `length` to its first rate; see `WarmUp`."""
        return lookup("schedule", "schedules", "WarmUp")(self, length=length)

    def plot(
        self, *, fit: FitLength | None = None, updates: int | None = None, ax: Any = None
    ) -> Any:
        """Draws the rate against the updates; returns the Matplotlib axes.

        Args:
            fit: Length of the fit. Defaults to None: the one the schedule is bound to, or, if it
                needs one and is not bound, an example of 1000 updates in 10 epochs.
            updates: How many to show. Defaults to None: those of the fit, or somewhat more than
                the schedule's lengths.
            ax: Axes to draw on. Defaults to None, those of a new figure.
        """
        import matplotlib.pyplot as plt

        label = "optimizer updates"
        fit = self.fit if fit is None else fit
        if fit is None and self.needs_fit:
            fit = FitLength(1000, 100)
            label += " (example: a fit of 1000 in 10 epochs)"
        if updates is not None:
            last = check_int("updates", updates, low=1)
        else:
            last = math.ceil(_span(self)) if fit is None else fit.updates
        last = max(int(last) - 1, 1)
        ax = plt.subplots()[1] if ax is None else ax
        steps = np.unique(np.linspace(0, last, 2001).round())
        ax.step(steps, self.values(steps, fit), where="post")
        ax.set(xlabel=label, ylabel="learning rate", title=type(self).__name__)
        if ax.get_yscale() == "linear":
            ax.set_ylim(bottom=0)
        return ax

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: _plain(getattr(self, name)) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns the schedule that `get_config` described."""
        return cls(
            **{
                key: keras.saving.deserialize_keras_object(value)
                if isinstance(value, dict)
                else value
                for key, value in config.items()
            }
        )


def unknown_length(schedule: Schedule) -> InputError:
    """Returns the error for a schedule whose length depends on a fit that is not known."""
    return InputError(
        f"The length of {type(schedule).__name__} is not known: it depends on the fit. Give all "
        "lengths in updates (such as `total=1000`), train a recipe model, or pass "
        "`callbacks=kerasrecipes.callbacks.standard()` to `fit`, which takes it from "
        "`epochs` and the steps per epoch."
    )


# JAX has no float64 unless all of a program's numbers are to be wide.
_WIDEST = "float32" if keras.backend.backend() == "jax" else "float64"


def _exact(value_at: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a schedule's method with integer steps taken in float64, and a float32 result."""

    @functools.wraps(value_at)
    def exactly(self: Schedule, step: Any, fit: FitLength | None) -> Any:
        step = ops.convert_to_tensor(step)
        if "int" not in keras.backend.standardize_dtype(step.dtype):
            return value_at(self, step, fit)
        value = value_at(self, ops.cast(step, _WIDEST), fit)
        return None if value is None else ops.cast(value, "float32")

    return exactly


def as_float(step: Any) -> Any:
    """Returns an update count as a tensor: float64 stays, everything else becomes float32."""
    step = ops.convert_to_tensor(step)
    dtype = keras.backend.standardize_dtype(step.dtype)
    return step if dtype == "float64" else ops.cast(step, "float32")


def _is_relative(value: Any) -> bool:
    if isinstance(value, Duration):
        return value.is_relative
    if isinstance(value, Schedule):
        return value.needs_fit
    return isinstance(value, tuple) and any(map(_is_relative, value))


def _span(schedule: Any) -> float:
    """Returns how many updates show a schedule whose lengths are all in updates."""

    def total(value: Any) -> float:
        if isinstance(value, Duration):
            return value.amount
        if isinstance(value, Schedule):
            return value._shown_lengths * sum(map(total, vars(value).values()))
        return max(map(total, value), default=0.0) if isinstance(value, tuple) else 0.0

    return total(schedule) or 1000.0


def _plain(value: Any) -> Any:
    """Returns an argument as a config holds it."""
    if isinstance(value, Duration):
        return value.plain
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
        return keras.saving.serialize_keras_object(value)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    return value
