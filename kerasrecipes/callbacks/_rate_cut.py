"""Lowering the rate of an optimizer, whatever its rate is."""

from typing import Any

import keras

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError
from kerasrecipes.optimizers.scheduled_rate import number as number


def rate_variable(model: keras.Model, *, what: str) -> Any:
    """Returns the variable that the rate is proportional to.

    It is the `rate_factor` of a scheduled optimizer of this package, else the rate itself.

    Args:
        model: Compiled model with a built optimizer.
        what: Who asks, for the error.

    Raises: InputError for a rate that nothing can cut: a schedule in a plain Keras optimizer, or
        a function.
    """
    optimizer = _keras_internals.inner_optimizer(model.optimizer)
    rate = _keras_internals.learning_rate_schedule(optimizer)
    if isinstance(rate, keras.Variable):
        return rate
    scheduled = isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
    if scheduled and hasattr(optimizer, "rate_factor"):
        return optimizer.rate_factor
    raise InputError(
        f"{what} cuts the learning rate, which it cannot for {type(optimizer).__name__} with "
        f"{type(rate).__name__}. Use a constant rate, or an optimizer of "
        "`kerasrecipes.optimizers` with a schedule."
    )
