"""From a name to a schedule."""

import inspect
from typing import Any

import keras

from kerasrecipes._checks import fail
from kerasrecipes._export import bind, lookup
from kerasrecipes.schedules.constant import Constant


def get(identifier: Any, learning_rate: float) -> keras.optimizers.schedules.LearningRateSchedule:
    """Returns the schedule that `identifier` describes.

    Args:
        identifier: A name ("cosine", "one_cycle"), a dict with a "name" and arguments, None for
            a constant rate, or a finished Keras schedule, which is returned as it is. The parts
            of a composed schedule ("warm_up", "then", "scale") are identifiers in their turn.
        learning_rate: Peak rate of a schedule given by name.

    Example:
    >>> type(get("one_cycle", 0.1)).__name__
    'OneCycle'
    >>> get({"name": "cosine", "warmup": "2 epochs"}, 0.1).warmup
    '2 epochs'
    >>> type(get({"name": "warm_up", "schedule": "step", "length": 10}, 0.1).schedule).__name__
    'StepDecay'
    """
    if isinstance(identifier, keras.optimizers.schedules.LearningRateSchedule):
        return identifier
    if identifier is None:
        return Constant(learning_rate)
    if isinstance(identifier, str):
        identifier = {"name": identifier}
    if not isinstance(identifier, dict) or "name" not in identifier:
        fail("schedule", "a name, a dict with a 'name', a Keras schedule or None", identifier)
    own = {key: value for key, value in identifier.items() if key != "name"}
    factory = lookup("schedule", "schedules", str(identifier["name"]))
    accepted = inspect.signature(factory).parameters
    if "learning_rate" in accepted:
        own = {"learning_rate": learning_rate, **own}
    if "schedule" in accepted:
        own = {"schedule": None, **own}
    for part in accepted.keys() & own.keys() & {"schedule", "other"}:
        own[part] = get(own[part], learning_rate)
    for key, parameter in accepted.items():
        if parameter.default is inspect.Parameter.empty and key not in own:
            fail(f"schedule.{key}", f"given for {factory.__name__}", identifier)
    return bind("schedule", factory, own)
