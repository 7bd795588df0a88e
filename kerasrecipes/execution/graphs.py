"""Graphs over rows in memory."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from kerasrecipes.execution.rows import Rows

NUMBERS = tf.TensorSpec([None], tf.int32)
STEP = tf.TensorSpec([], tf.int32)


class Graphs:
    """One graph of a function for each kind of rows, whatever their number.

    Args:
        function: Takes the tensors of rows, and what `specs` describe.
        specs: `tf.TensorSpec` of the other arguments.
        jit: Whether XLA compiles the graphs. Defaults to False.
        by_batch_size: Whether each size of a batch needs a graph of its own. Defaults to False.

    Attributes:
        jit: As given.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *specs: Any,
        jit: bool = False,
        by_batch_size: bool = False,
    ) -> None:
        self._function = function
        self._specs = specs
        self.jit = jit
        self._by_batch_size = by_batch_size
        self._made: dict[Any, Any] = {}

    def clear(self) -> None:
        """Forgets the graphs; they are traced anew."""
        self._made = {}

    def of(self, rows: Rows) -> Any:
        """Returns the graph, a `tf.function`, for rows of this kind."""
        key = (rows.batch_size if self._by_batch_size else None, *rows.kind)
        if key not in self._made:
            signature = [rows.signature, *self._specs]
            # TensorFlow warns of many traces of one function; a `partial` is one for each model.
            self._made[key] = tf.function(
                functools.partial(self._function),
                signature,
                autograph=False,
                jit_compile=self.jit,
            )
        return self._made[key]


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
