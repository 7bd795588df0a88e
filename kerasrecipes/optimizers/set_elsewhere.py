"""Weights that others than their optimizer have set: loading, early stopping, `set_weights`."""

from typing import Any

import keras
from keras import ops

_ULPS = 8
_PRECISION = {"bfloat16": 2.0**-8, "float16": 2.0**-11, "float64": 2.0**-53}


def set_elsewhere(variable: Any, last: Any) -> Any:
    """Returns where a variable is no longer what its optimizer left it at, a boolean tensor.

    An optimizer that keeps weights of its own beside the model's has to begin them anew there.
    A `last` of zeros, as `build` creates it, makes it begin at the first update: by then the
    weights are final, while a compiled step that builds could not read them. Differences of
    rounding do not count, as a compiler may compute the two copies of a value in two ways.
    """
    last = ops.convert_to_tensor(last)
    precision = _PRECISION.get(keras.backend.standardize_dtype(last.dtype), 2.0**-24)
    return ops.abs(ops.convert_to_tensor(variable) - last) > _ULPS * precision * ops.abs(last)
