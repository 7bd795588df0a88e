"""F4, F9 and F10: functions of Keras against what they are defined as."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from kerasrecipes.doctor._probes.seen import Seen


def sparsemax(function: Callable[[Any], Any] = keras.activations.sparsemax) -> Seen:
    """A class that is far behind."""
    row = keras.ops.convert_to_tensor([[0.5, 1.0, 0.0]], "float32")
    total = float(np.array(function(row)).sum())
    return Seen(abs(total - 1) > 1e-3, f"sparsemax of 0.5, 1, 0 sums to {total:.3g} instead of 1")


def _keras_beta(count: int, alpha: float) -> Any:
    return keras.random.beta((count,), alpha, alpha, seed=1)


def small_beta(beta: Callable[[int, float], Any] = _keras_beta) -> Seen:
    """The variance of draws with a small alpha: nearly all are 0 or 1."""
    found = float(np.array(beta(5000, 0.001)).var())
    return Seen(found < 0.2, f"draws of Beta(0.001, 0.001) have variance {found:.3f}, not 0.250")


def added_column(add: Callable[[Any, Any], Any] = keras.ops.add) -> Seen:
    """A column for three rows of three numbers."""
    rows, column = np.zeros((3, 3), "float32"), np.array([[1], [2], [3]], "float32")
    first = np.array(add(keras.ops.convert_to_tensor(rows), column))[0]
    return Seen(
        not np.array_equal(first, [1, 1, 1]),
        f"the first row gets {', '.join(f'{each:g}' for each in first)} instead of 1, 1, 1",
    )
