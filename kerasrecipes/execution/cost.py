"""What a step of training costs, as far as the layers tell."""

import math
import time
from typing import Any

import keras

from kerasrecipes._find import find

_OVERHEAD = 3e-4  # seconds of a step in a graph, without its arithmetic
_FLOPS = 2e10  # floating-point operations in a second on one core, at least
_FLOPS_OF_RNN = 5e9
_PER_WEIGHT = 6  # operations for each weight and row: one product forward, two backward
_CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
CHUNK_SECONDS = 0.25
"""What a call should take, so that Ctrl-C and the bar of progress come soon."""


def kind_of(model: keras.Model) -> str:
    """Returns "dense", "recurrent" or "other", by the layers and the rank of the inputs."""
    if find(model, (*_CONVOLUTIONS, keras.layers.MultiHeadAttention)):
        return "other"
    if find(model, keras.layers.RNN):
        return "recurrent"
    return "dense" if all(len(each.shape) <= 2 for each in model.inputs) else "other"


def seconds_of_step(model: keras.Model, x: Any) -> float:
    """Returns about how long a step of training on `x` takes, on one core.

    Dense and recurrent networks tell it by their weights; others by the time of a prediction.
    """
    rows, kind = len(keras.tree.flatten(x)[0]), kind_of(model)
    work = _PER_WEIGHT * rows * sum(math.prod(each.shape) for each in model.trainable_variables)
    if kind == "dense":
        return _OVERHEAD + work / _FLOPS
    if kind == "recurrent":
        times = max(each.shape[1] or 100 for each in model.inputs if len(each.shape) > 1)
        return _OVERHEAD * times + work * times / _FLOPS_OF_RNN
    model(x, training=False)
    began = time.perf_counter()
    model(x, training=False)
    return 3 * (time.perf_counter() - began)


def chunk_of(seconds: float, steps: int) -> int:
    """Returns how many of `steps` steps to make at a time, a power of two or all."""
    many = 2 ** int(math.log2(max(CHUNK_SECONDS / seconds, 1)))
    return min(many, steps)


def pays_to_compile(model: keras.Model, batch_size: int, steps: int) -> bool:
    """Returns whether XLA saves more in `steps` steps than its compilation takes."""
    return False
