"""Sparsemax."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import check_int
from kerasrecipes._export import export


@export("activations")
def sparsemax(x: Any, axis: int = -1) -> Any:
    """Returns the nearest point of the probability simplex, with probabilities that can be 0.

    With the values sorted, z_1 >= z_2 >= ..., and k the last at which 1 + k z_k > z_1 + ... + z_k:
        tau = (z_1 + ... + z_k - 1) / k,  y = max(x - tau, 0)
    `keras.activations.sparsemax` sums over all values instead of the first k, so what it gives
    does not sum to 1 (Keras 3.15).

    Args:
        x: Tensor of any shape.
        axis: Axis over which the outputs sum to 1. Defaults to -1.

    Returns: Tensor of the shape and dtype of `x`.

    Example:
    >>> import numpy as np
    >>> np.array(sparsemax(np.array([0.5, 1.0, 0.0]))).tolist()
    [0.25, 0.75, 0.0]

    Reference: Martins & Astudillo 2016, arXiv:1602.02068.
    """
    axis = check_int("axis", axis)
    x = ops.moveaxis(ops.convert_to_tensor(x), axis, -1)
    dtype = keras.backend.standardize_dtype(x.dtype)
    descending = ops.flip(ops.sort(x, axis=-1), axis=-1)
    count = ops.arange(1, x.shape[-1] + 1, dtype=dtype)
    sums = ops.cumsum(descending, axis=-1)
    kept = ops.cast(1 + count * descending > sums, dtype)
    k = ops.sum(kept, axis=-1, keepdims=True)
    tau = (ops.sum(descending * kept, axis=-1, keepdims=True) - 1) / k
    return ops.moveaxis(ops.maximum(x - tau, 0), -1, axis)
