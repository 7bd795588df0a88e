"""Population statistics for batch normalisation, from a pass over training data."""

from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes._checks import fail
from kerasrecipes._find import find

ROWS = 256
"""Rows of an array that make a batch."""


def batch_normalizations(model: keras.Model) -> list[Any]:
    """Returns the layers whose moving statistics change in training: those not frozen."""
    return [each for each in find(model, keras.layers.BatchNormalization) if each.trainable]


def estimate(model: keras.Model, data: Any) -> None:
    """Sets the moving statistics to those of the whole data, under the present weights.

    With batches of n rows whose mean is m and variance v, and N rows in all:
        mean = sum(n m) / N,   variance = sum(n (v + (m - mean)^2)) / N
    so that the first normalisation of a model gets the very statistics of the data. Nothing else
    of the model changes: seeds of dropout go back to where they were.

    Args:
        model: A built model.
        data: Dataset of batches, of which the inputs are used, or arrays of inputs.

    Reference: Wu & Johnson 2021, arXiv:2105.07576, section 3 (PreciseBN).
    """
    layers = batch_normalizations(model)
    settings = [(layer.momentum, getattr(layer, "synchronized", False)) for layer in layers]
    ours = {id(v) for layer in layers for v in (layer.moving_mean, layer.moving_variance)}
    rest = [v for v in model.non_trainable_variables if id(v) not in ours]
    with _keras_internals.strategy_scope(model):
        held = [ops.copy(ops.convert_to_tensor(v)) for v in rest]
        try:
            for layer in layers:
                layer.momentum, layer.synchronized = 0.0, False  # moving = that of the batch
                layer.moving_mean.assign(_zeros(layer))
                layer.moving_variance.assign(_zeros(layer) + 1)
            for layer, (mean, variance) in zip(layers, _merged(model, layers, data), strict=True):
                layer.moving_mean.assign(mean)
                layer.moving_variance.assign(variance)
        finally:
            for layer, (momentum, synchronized) in zip(layers, settings, strict=True):
                layer.momentum, layer.synchronized = momentum, synchronized
            for variable, value in zip(rest, held, strict=True):
                variable.assign(value)


def _merged(model: keras.Model, layers: list[Any], data: Any) -> list[tuple[Any, Any]]:
    """Returns mean and variance for each layer, merged batch by batch (Chan et al. 1983)."""
    merged = [(_zeros(layer), _zeros(layer)) for layer in layers]
    total = 0
    for inputs in _batches(data):
        rows = int(ops.shape(keras.tree.flatten(inputs)[0])[0])
        total += rows
        model(inputs, training=True)
        for index, layer in enumerate(layers):
            mean, variance = merged[index]
            step = ops.convert_to_tensor(layer.moving_mean) - mean
            new = ops.convert_to_tensor(layer.moving_variance)
            share = rows / total
            variance = variance + share * (new - variance + (1 - share) * ops.square(step))
            merged[index] = mean + share * step, variance
    if not total:
        fail("data", "training inputs of at least one row", data)
    return merged


def _zeros(layer: Any) -> Any:
    return ops.zeros_like(ops.convert_to_tensor(layer.moving_mean))


def _batches(data: Any) -> Iterator[Any]:
    """Yields the inputs of each batch."""
    if hasattr(data, "element_spec") or isinstance(data, keras.utils.PyDataset):
        batches = data if hasattr(data, "element_spec") else (data[i] for i in range(len(data)))
        for batch in batches:
            yield keras.utils.unpack_x_y_sample_weight(batch)[0]
        return
    rows = len(keras.tree.flatten(data)[0])
    for begin in range(0, rows, ROWS):
        yield keras.tree.map_structure(lambda x, i=begin: x[i : i + ROWS], data)
