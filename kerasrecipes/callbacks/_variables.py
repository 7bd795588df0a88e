"""The variables of a training: read, and set to what was read."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError
from kerasrecipes._find import find
from kerasrecipes.callbacks.callback import plain


def build_optimizer(model: keras.Model) -> None:
    """Creates the variables of the optimizer, if `fit` would do so only at the first update.

    Raises: InputError for a model whose weights come only with the first batch.
    """
    if not model.built or not model.weights:
        raise InputError(
            f"The model {model.name!r} has no weights yet, and so its optimizer has no state. Give "
            "it a `keras.Input`, or call it on one batch before `fit`."
        )
    if not model.optimizer.built:
        with _keras_internals.strategy_scope(model):
            model.optimizer.build(model.trainable_variables)


def model_variables(model: keras.Model) -> list[Any]:
    """Returns the model's variables, and the states of RNNs, which Keras leaves out of them."""
    states = [each.states for each in find(model, keras.layers.RNN) if each.stateful]
    return [*model.variables, *keras.tree.flatten(states)]


def assign(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    """Sets variables, on every replica."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def metric_values(model: keras.Model) -> list[list[np.ndarray]]:
    """Returns the values of the metrics' variables on each replica, where they differ."""
    return [plain(_on_each_replica(variable)) for variable in _metric_variables(model)]


def assign_metrics(model: keras.Model, values: Sequence[Sequence[np.ndarray]]) -> None:
    """Sets the metrics' variables to what `metric_values` returned.

    On another number of replicas the first gets the sum, which is what counts in the end.
    """
    for variable, those in zip(_metric_variables(model), values, strict=True):
        parts = _on_each_replica(variable)
        if len(parts) != len(those):
            total = np.sum(those, axis=0)
            those = [total, *[np.zeros_like(total)] * (len(parts) - 1)]
        for part, value in zip(parts, those, strict=True):
            part.assign(value)


def _metric_variables(model: keras.Model) -> list[Any]:
    return [variable for metric in model.metrics for variable in metric.variables]


def _on_each_replica(variable: Any) -> list[Any]:
    """Returns the TensorFlow variables that make up one of Keras, under a strategy one each."""
    if keras.config.backend() != "tensorflow":  # a tensor of PyTorch has a method `values`
        return [variable]
    return list(getattr(variable.value, "values", [variable.value]))
