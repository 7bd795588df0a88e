"""Graphs over rows in memory."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from kerasrecipes._keras_internals import build_loss_and_metrics
from kerasrecipes.execution.rows import Rows
from kerasrecipes.execution.shared_graphs import SharedGraphs

NUMBERS = tf.TensorSpec([None], tf.int32)
STEP = tf.TensorSpec([], tf.int32)
SHARED = SharedGraphs()
"""Of all models of this process."""


class Graphs:
    """One graph of a function for each kind of rows, whatever their number.

    Args:
        model: The built model that the function is of.
        function: A method. Takes the tensors of rows, and what `specs` describe.
        specs: `tf.TensorSpec` of the other arguments.
        jit: Whether XLA compiles the graphs. Defaults to False.
        by_batch_size: Whether each size of a batch needs a graph of its own. Defaults to False.

    Attributes:
        jit: As given.
    """

    def __init__(
        self,
        model: keras.Model,
        function: Callable[..., Any],
        *specs: Any,
        jit: bool = False,
        by_batch_size: bool = False,
    ) -> None:
        self._model = model
        self._function = function
        self._specs = specs
        self.jit = jit
        self._by_batch_size = by_batch_size
        self._made: dict[Any, Any] = {}

    def clear(self) -> None:
        """Forgets the graphs; they are made anew."""
        self._made = {}

    def of(self, rows: Rows) -> Any:
        """Returns the graph, a `ConcreteFunction`, for rows of this kind."""
        key = (rows.batch_size if self._by_batch_size else None, *rows.kind)
        if key not in self._made:
            _build_compiled(self._model, rows.signature)
            of_function = self._function.__qualname__, self.jit, key
            trace = functools.partial(self._trace, rows)
            self._made[key] = SHARED.of(self._model, of_function, trace)
        return self._made[key]

    def _trace(self, rows: Rows) -> Any:
        signature = [rows.signature, *self._specs]
        # TensorFlow warns of many traces of one function; a `partial` is one for each model.
        function = functools.partial(self._function)
        graph = tf.function(function, signature, autograph=False, jit_compile=self.jit)
        return graph.get_concrete_function()


def _build_compiled(model: keras.Model, signature: Any) -> None:
    """Builds the loss and the metrics, as the first step would do while it is traced."""
    if model.compiled and len(signature) > 1:
        y = keras.tree.map_structure(
            lambda spec: keras.KerasTensor(spec.shape, spec.dtype.name), signature[1]
        )
        build_loss_and_metrics(model, y)


def of_any_size(numbers: Any) -> Any:
    """Returns row numbers whose count is not known to the graph, as in a fit with a smaller batch.

    Keras computes some things otherwise where it knows the size of a batch: `ops.add` takes a
    column for a bias if the batch is as large as the layer, and losses of several outputs are
    weighted by their sizes.
    """
    return tf.raw_ops.PlaceholderWithDefault(input=numbers, shape=[None])


def take(tensors: Any, chosen: Any) -> Any:
    """Returns the rows with these numbers."""
    return keras.tree.map_structure(lambda tensor: tf.gather(tensor, chosen), tensors)
