"""Which variables weight decay leaves alone."""

import re
from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes._checks import InputError, fail
from kerasrecipes.optimizers.known import path_of
from kerasrecipes.schedules.identify import get as get_schedule
from kerasrecipes.schedules.schedule import Schedule

NOT_DECAYED = (
    r"(^|/)(bias|\w*_bias)$",
    r"(^|/)(gamma|beta|scale|offset|gain)$",
    r"(^|/)(alpha|frequency|phase)$",
)
"""Patterns of variable paths that are not decayed: biases, the scales and offsets of norms, and
the parameters of activations and of periodic embeddings."""


def check_patterns(argument: str, patterns: Sequence[str]) -> tuple[str, ...]:
    """Returns the regular expressions as a tuple; a broken one is an `InputError`."""
    if isinstance(patterns, str):
        patterns = (patterns,)
    if not isinstance(patterns, (list, tuple, set, frozenset)):
        fail(argument, "a list of regular expressions of variable paths", patterns)
    for pattern in patterns:
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise InputError(
                f"`{argument}` must hold regular expressions of variable paths, such as "
                f"'/bias$'. Received: {pattern!r} ({error})."
            ) from error
    return tuple(patterns)


def check_decay_schedule(schedule: Any) -> Schedule | None:
    """Returns the schedule that decay is multiplied by, for a name, a config or a schedule."""
    if schedule is None:
        return None
    if isinstance(schedule, dict) and "class_name" in schedule:
        schedule = keras.saving.deserialize_keras_object(schedule)
    made = get_schedule(schedule, 1.0)
    if not isinstance(made, Schedule):
        fail("decay_schedule", "a name, a schedule of kerasrecipes, or None", schedule)
    return made


def is_decayed(
    variable: Any,
    patterns: Sequence[str],
    *,
    var_list: Sequence[Any] | None = None,
    var_names: Sequence[str] | None = None,
) -> bool:
    """Returns whether nothing excludes the variable: no pattern, no list, no part of its name."""
    return not (
        any(re.search(pattern, path_of(variable)) for pattern in patterns)
        or any(variable is each for each in var_list or ())
        or any(re.search(name, variable.name) for name in var_names or ())
    )
