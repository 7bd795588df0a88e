"""C1 and C5: callbacks and schedules that want the same learning rate."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import X, Y, first_line, linear_model, rates


def _decay() -> Any:
    return keras.optimizers.schedules.ExponentialDecay(0.8, 1, 0.5)


def plateau_with_schedule(
    plateau: Any = keras.callbacks.ReduceLROnPlateau, optimizer: Any = keras.optimizers.SGD
) -> Seen:
    """A plateau while a schedule runs."""
    try:
        found = rates(optimizer(_decay()), [1.0] * 4, plateau("val_loss", patience=2, factor=0.5))
    except TypeError as error:
        return Seen(True, f"ReduceLROnPlateau with a schedule: {first_line(error)}")
    return Seen(False, f"ReduceLROnPlateau with a schedule: the last rate is {found[-1]:.3g}")


def plateau_undone(
    plateau: Any = keras.callbacks.ReduceLROnPlateau,
    scheduler: Any = keras.callbacks.LearningRateScheduler,
) -> Seen:
    """A constant function of the epoch, and a plateau that halves the rate."""
    callbacks = scheduler(lambda epoch: 0.4), plateau("val_loss", patience=2, factor=0.5)
    found = rates(keras.optimizers.SGD(0.1), [1.0] * 6, *callbacks)
    cut = found.index(min(found))
    undone = max(found[cut:]) > found[cut] * 1.01
    return Seen(
        undone,
        f"a cut to {found[cut]:.3g} is followed by a rate of {max(found[cut:]):.3g} "
        "under LearningRateScheduler",
    )


def rate_in_history(callbacks: Sequence[Any] = ()) -> Seen:
    """A fit with a schedule in the optimizer."""
    history = linear_model(keras.optimizers.SGD(_decay())).fit(
        X, Y, verbose=0, callbacks=list(callbacks)
    )
    names = ", ".join(history.history)
    return Seen("learning_rate" not in history.history, f"History has: {names}")


def _cosine() -> Any:
    return keras.optimizers.schedules.CosineDecay(0.1, 100, warmup_steps=10)


def warm_up(schedule: Callable[[], Any] = _cosine) -> Seen:
    """A cosine that is told to warm up in ten steps to 0.1."""
    first = float(np.array(schedule()(0)))
    return Seen(first > 0.05, f"a warm-up of 10 steps to 0.1 begins at {first:.3g}")


def accumulated_steps(optimizer: Any = keras.optimizers.SGD) -> Seen:
    """Four micro-batches that make one update."""
    rate = keras.optimizers.schedules.PolynomialDecay(1.0, 8, 0.0)
    accumulating = optimizer(rate, gradient_accumulation_steps=4)
    variable = keras.Variable([0.0])
    for _ in range(4):
        accumulating.apply([keras.ops.zeros(1)], [variable])
    found = float(np.array(accumulating.learning_rate))
    return Seen(
        abs(found - 7 / 8) > 1e-3,
        f"after one update out of 4 micro-batches the schedule is at step {8 * (1 - found):.0f}",
    )
