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

    Attributes:
        jit: As given.
    """

    def __init__(self, function: Callable[..., Any], *specs: Any, jit: bool = False) -> None:
        self._function = function
        self._specs = specs
        self.jit = jit
        self._made: dict[Any, Any] = {}

    def clear(self) -> None:
        """Forgets the graphs; they are traced anew."""
        self._made = {}

    def of(self, rows: Rows) -> Any:
        """Returns the graph, a `tf.function`, for rows of this kind."""
        if rows.kind not in self._made:
            signature = [rows.signature, *self._specs]
            # TensorFlow warns of many traces of one function; a `partial` is one for each model.
            self._made[rows.kind] = tf.function(
                functools.partial(self._function), signature, autograph=False, jit_compile=self.jit
            )
        return self._made[rows.kind]


def take(tensors: Any, chosen: Any) -> Any:
    """Returns the rows with these numbers."""
    return keras.tree.map_structure(lambda tensor: tf.gather(tensor, chosen), tensors)
