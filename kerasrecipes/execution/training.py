"""Training on many batches in one graph."""

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from kerasrecipes.execution.graphs import NUMBERS, STEP, Graphs, of_any_size, take
from kerasrecipes.execution.rows import Rows, step_at

_REFUSED = "tf2xla conversion failed", "unsupported operations"
"""In what XLA says of operations that it cannot compile, before it has run any."""


class Training:
    """Trains a model on the batches of a chunk in one graph.

    The rows are arguments of the graph, so one trace serves all data of a kind.

    Args:
        model: A built and compiled model on one device.
        jit: Whether XLA compiles the graph. Defaults to False.
    """

    def __init__(self, model: keras.Model, *, jit: bool = False) -> None:
        self._model = model
        self._full = Graphs(
            model, self._train_on_many, NUMBERS, STEP, STEP, jit=jit, by_batch_size=True
        )
        self._rest = Graphs(model, self._train_on_one, NUMBERS)
        self._rows: Any = None
        self._numbers: Any = None
        self._chunk = 1
        self._left_out = 0

    @property
    def jit(self) -> bool:
        """Whether XLA compiles the graph; no longer if it could not."""
        return self._full.jit

    def forget(self) -> None:
        """Forgets its graphs."""
        self._full.clear()
        self._rest.clear()

    def begin(self, rows: Rows, chunk: int) -> None:
        """Takes the rows of a fit, and how many batches to train on in a call."""
        self._rows, self._numbers, self._chunk, self._left_out = rows, None, chunk, 0

    def end(self) -> None:
        """Forgets the rows."""
        self._rows = self._numbers = None

    def leave_out(self, batches: int) -> None:
        """Leaves out the first batches of the next call; the metrics are made all the same."""
        self._left_out = batches
        graphs = self._full if self._rows.full else self._rest
        graphs.of(self._rows)

    def __call__(self, place: int) -> dict[str, Any]:
        """Trains on the next chunk; returns the metrics of the epoch so far."""
        first, rows = step_at(place), self._rows
        if first == 0 or self._numbers is None:
            self._numbers = rows.numbers()
        last = min(first + self._chunk, rows.steps)
        first, self._left_out = first + self._left_out, 0
        full, logs = min(last, rows.full), {}
        if first < full:
            logs = self._train(rows, tf.constant(first), tf.constant(full))
        if last > rows.full:
            rest = self._numbers[rows.full * rows.batch_size :]
            logs = self._rest.of(rows)(rows.tensors, rest)
        return logs

    def _train(self, rows: Rows, first: Any, last: Any) -> dict[str, Any]:
        """Trains on full batches; without XLA if that cannot compile something."""
        try:
            return self._full.of(rows)(rows.tensors, self._numbers, first, last)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            if not self._full.jit or not any(each in str(error) for each in _REFUSED):
                raise
            self._full = Graphs(
                self._model, self._train_on_many, NUMBERS, STEP, STEP, by_batch_size=True
            )
            self._model.execution = dataclasses.replace(self._model.execution, jit=False)
            return self._full.of(rows)(rows.tensors, self._numbers, first, last)

    def _train_on_many(self, tensors: Any, numbers: Any, first: Any, last: Any) -> Any:
        size = self._rows.batch_size  # a constant: the graph is of rows with this size

        def train(step: Any) -> Any:
            chosen = of_any_size(tf.slice(numbers, [step * size], [size]))
            self._model.train_step(take(tensors, chosen))
            return step + 1

        tf.while_loop(lambda step: step < last, train, [first], parallel_iterations=1)
        return self._model.get_metrics_result()

    def _train_on_one(self, tensors: Any, chosen: Any) -> Any:
        self._model.train_step(take(tensors, chosen))
        return self._model.get_metrics_result()
