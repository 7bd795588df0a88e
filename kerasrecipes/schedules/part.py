"""What schedules that are made of schedules share."""

from typing import Any

from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from kerasrecipes._checks import fail
from kerasrecipes.schedules.constant import Constant
from kerasrecipes.schedules.schedule import FitLength, Schedule


def part(argument: str, value: Any) -> LearningRateSchedule:
    """Returns a schedule that is part of another; a number is a constant rate."""
    if isinstance(value, LearningRateSchedule):
        return value
    if isinstance(value, (dict, str)) or value is None:
        fail(argument, "a schedule or a rate", value, "`schedules.get` reads names and dicts.")
    return Constant(value)


def rate_at(schedule: LearningRateSchedule, t: Any, fit: FitLength | None) -> Any:
    """Returns the rate of one of our schedules or of a plain Keras one, in the dtype of `t`."""
    if isinstance(schedule, Schedule):
        return schedule.at(t, fit)
    rate: Any = schedule
    # some of Keras's are for scalars only
    rates = ops.reshape(ops.map(rate, ops.reshape(t, (-1,))), t.shape) if t.shape else rate(t)
    return ops.cast(rates, t.dtype)


def momentum_at(schedule: LearningRateSchedule, t: Any, fit: FitLength | None) -> Any:
    """Returns the momentum of a schedule; None if it has none."""
    return schedule.momentum_at(t, fit) if isinstance(schedule, Schedule) else None


def rest_of(fit: FitLength | None, length: Any) -> FitLength | None:
    """Returns what is left of a fit after `length` updates."""
    if fit is None:
        return None
    left = ops.maximum(ops.cast(fit.updates, length.dtype) - length, 0)
    return FitLength(left, fit.updates_per_epoch)
