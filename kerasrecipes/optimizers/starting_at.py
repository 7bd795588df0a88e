"""Optimizer variables that start as copies of the trained ones."""

from collections.abc import Callable
from typing import Any

from keras import ops


def starting_at(variable: Any) -> Callable[..., Any]:
    """Returns an initializer that gives the variable's present value.

    Assigning the value in `build` would not do: an optimizer that is built by its first update,
    inside a `tf.function`, creates its variables but loses that assignment.
    """

    def value(shape: Any, dtype: Any = None) -> Any:
        return ops.cast(ops.convert_to_tensor(variable), dtype or variable.dtype)

    return value
