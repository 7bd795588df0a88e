"""What a step of training costs, as far as the layers tell."""

import math
import time
from typing import Any

import keras
from keras import ops

from kerasrecipes._find import find
from kerasrecipes.layers.hash_dropout import HashDropout
from kerasrecipes.layers.scheduled_dropout import ScheduledDropout

_OVERHEAD = 3e-4  # seconds of a step in a graph, without its arithmetic
_FLOPS = 2e10  # floating-point operations in a second on one core, at least
_OVERHEAD_OF_TIME = 1e-4  # seconds of each step in time of a recurrent layer
_FLOPS_OF_RNN = 4e10
_FLOPS_OF_DENSE = 6e10  # as measured
_SAVED_OVERHEAD = 1.4e-4  # seconds of a step that XLA saves
_SAVED_SHARE = 0.2  # of the time of the arithmetic
_SAVED_SHARE_OF_RNN = 0.3  # of the whole step, least for LSTM
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
_MANY_STEPS = 5000
"""So many save about the 0.3 s of a trace, if the size of their batches is a constant."""
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
    if kind == "dense" and all(len(shape) <= 2 for shape in _shapes_within(model)):
        return _OVERHEAD + _work(model, rows) / _FLOPS
    if kind == "recurrent":
        return _seconds_of_recurrent_step(model, rows)
    return 3 * _seconds_of_prediction(model, x)


def _seconds_of_prediction(model: keras.Model, x: Any) -> float:
    """Returns the seconds of a second call; what the calls change is set back."""
    before = [ops.copy(each) for each in model.non_trainable_variables]
    model(x, training=False)
    began = time.perf_counter()
    model(x, training=False)
    seconds = time.perf_counter() - began
    for variable, value in zip(model.non_trainable_variables, before, strict=True):
        variable.assign(value)
    return seconds


def _shapes_within(model: keras.Model) -> list[Any]:
    outputs = [keras.tree.flatten(layer.output) for layer in model.layers]
    return [each.shape for several in outputs for each in several]


def _work(model: keras.Model, rows: int) -> float:
    """Returns the floating-point operations of a step, for one use of each weight."""
    return _PER_WEIGHT * rows * sum(math.prod(each.shape) for each in model.trainable_variables)


def _seconds_of_recurrent_step(model: keras.Model, rows: int) -> float:
    times = max(each.shape[1] or 100 for each in model.inputs if len(each.shape) > 1)
    return times * (_OVERHEAD_OF_TIME + _work(model, rows) / _FLOPS_OF_RNN)


def chunk_of(seconds: float, steps: int) -> int:
    """Returns how many of `steps` steps to make at a time, a power of two or all."""
    many = 2 ** int(math.log2(max(CHUNK_SECONDS / seconds, 1)))
    return min(many, steps)


def way_to_train(model: keras.Model, batch_size: int, steps: int) -> str:
    """Returns the kind of graph that is done soonest with `steps` steps, with its tracing.

    One of "any size", "one size" and "compiled", see `Training`.
    """
    if pays_to_compile(model, batch_size, steps):
        return "compiled"
    return "one size" if steps > _MANY_STEPS else "any size"


def pays_to_compile(model: keras.Model, batch_size: int, steps: int) -> bool:
    """Returns whether XLA saves more in `steps` steps than its compilation takes.

    Only dense networks on a CPU come into question, and recurrent ones that keep the last state
    alone. XLA takes several times as long for convolutions, longer for attention and for sequences
    of states, and a thousand times as long for the generator of Keras's dropout. See
    docs/performance.md for the measurements behind the numbers.
    """
    layers = find(model, keras.layers.Layer)
    if any(map(_draws_by_generator, layers)) or not _is_checked(model, layers):
        return False
    kind, weights = kind_of(model), model.trainable_variables
    if kind == "dense":
        work = _work(model, batch_size) / _FLOPS_OF_DENSE
        saved = _SAVED_OVERHEAD + _SAVED_SHARE * work
    elif kind == "recurrent" and not any(
        layer.return_sequences for layer in find(model, keras.layers.RNN)
    ):
        saved = _SAVED_SHARE_OF_RNN * _seconds_of_recurrent_step(model, batch_size)
    else:
        return False
    return steps * saved > _COMPILATION + _COMPILATION_PER_WEIGHT * len(weights)


def _is_checked(model: keras.Model, layers: list[Any]) -> bool:
    """Returns whether wrong rows are refused before training, since XLA leaves assertions out.

    So are labels by targets, and categories by the schema of a table; not the row numbers of other
    embeddings, nor what layers of somebody else assert.
    """
    known = all(type(each).__module__.startswith(("keras.", "kerasrecipes.")) for each in layers)
    has_target = getattr(model, "has_loss_of_target", lambda: False)()
    return known and has_target and not find(model, keras.layers.Embedding)


def _draws_by_generator(layer: keras.layers.Layer) -> bool:
    """Returns whether a layer draws random numbers in the way that XLA makes slow on a CPU."""
    if isinstance(layer, (HashDropout, ScheduledDropout)) or not hasattr(layer, "seed_generator"):
        return False
    if hasattr(layer, "recurrent_dropout"):  # a recurrent cell, which has a generator in any case
        return bool(layer.dropout or layer.recurrent_dropout)
    return True
