"""What a step of training costs, as far as the layers tell."""

import math
import time
from typing import Any

import keras

from kerasrecipes._find import find
from kerasrecipes.layers.hash_dropout import HashDropout
from kerasrecipes.layers.scheduled_dropout import ScheduledDropout

_OVERHEAD = 3e-4  # seconds of a step in a graph, without its arithmetic
_FLOPS = 2e10  # floating-point operations in a second on one core, at least
_FLOPS_OF_RNN = 5e9
_FLOPS_OF_DENSE = 6e10  # as measured
_SAVED_OVERHEAD = 1.4e-4  # seconds of a step that XLA saves
_SAVED_SHARE = 0.2  # of the time of the arithmetic
_COMPILATION = 0.8  # seconds
_COMPILATION_PER_WEIGHT = 0.15
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
    """Returns whether XLA saves more in `steps` steps than its compilation takes.

    Only dense networks on a CPU come into question: there XLA takes two to twenty times as long
    for convolutions, about as long for recurrent layers, and longer for attention and for the
    generator of Keras's dropout. See docs/performance.md for the measurements behind the numbers.
    """
    if kind_of(model) != "dense" or any(map(_draws_by_generator, find(model, keras.layers.Layer))):
        return False
    weights = model.trainable_variables
    work = _PER_WEIGHT * batch_size * sum(math.prod(each.shape) for each in weights)
    saved = _SAVED_OVERHEAD + _SAVED_SHARE * work / _FLOPS_OF_DENSE
    return steps * saved > _COMPILATION + _COMPILATION_PER_WEIGHT * len(weights)


def _draws_by_generator(layer: keras.layers.Layer) -> bool:
    """Returns whether a layer draws random numbers in the way that XLA makes slow on a CPU."""
    hashed = isinstance(layer, (HashDropout, ScheduledDropout))
    return not hashed and hasattr(layer, "seed_generator")
