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
        alike: Whether full batches have a graph of their own, in which their size is a constant.
            It is faster, and takes a trace more. Defaults to False.
        jit: Whether XLA compiles that graph, which needs `alike`. Defaults to False.
    """

    def __init__(self, model: keras.Model, *, alike: bool = False, jit: bool = False) -> None:
        self._model = model
        self._alike = alike
        self._of_any_size = Graphs(model, self._train_on_many, NUMBERS, STEP, STEP, STEP)
        self._of_one_size = self._graphs_of_one_size(jit=jit)
        self._rows: Any = None
        self._numbers: Any = None
        self._chunk = 1
        self._left_out = 0

    def _graphs_of_one_size(self, *, jit: bool) -> Graphs:
        train = self._train_on_many_alike
        return Graphs(self._model, train, NUMBERS, STEP, STEP, jit=jit, by_batch_size=True)

    @property
    def jit(self) -> bool:
        """Whether XLA compiles the graph; no longer if it could not."""
        return self._of_one_size.jit

    def forget(self) -> None:
        """Forgets its graphs."""
        self._of_any_size.clear()
        self._of_one_size.clear()

    def begin(self, rows: Rows, chunk: int) -> None:
        """Takes the rows of a fit, and how many batches to train on in a call."""
        self._rows, self._numbers, self._chunk, self._left_out = rows, None, chunk, 0
        optimizer = self._model.optimizer
        if not optimizer.built:
            optimizer.build(self._model.trainable_variables)

    def end(self) -> None:
        """Forgets the rows."""
        self._rows = self._numbers = None

    def leave_out(self, batches: int) -> None:
        """Leaves out the first batches of the next call; the metrics are made all the same."""
        self._left_out = batches
        alike = self._alike and self._rows.full
        graphs = self._of_one_size if alike else self._of_any_size
        graphs.of(self._rows)

    def __call__(self, place: int) -> dict[str, Any]:
        """Trains on the next chunk; returns the metrics of the epoch so far."""
        step, rows, logs = step_at(place), self._rows, {}
        if step == 0 or self._numbers is None:
            self._numbers = rows.numbers()
        last = min(step + self._chunk, rows.steps)
        step, self._left_out = step + self._left_out, 0
        full = min(last, rows.full)
        if self._alike and step < full:
            logs = self._train_alike(step, full)
            step = full
        return self._train(step, last) if step < last else logs

    def _train(self, step: int, last: int) -> dict[str, Any]:
        rows = self._rows
        steps = [tf.constant(each) for each in (rows.batch_size, step, last)]
        return self._of_any_size.of(rows)(rows.tensors, self._numbers, *steps)

    def _train_alike(self, step: int, last: int) -> dict[str, Any]:
        """Trains on full batches; without XLA if that cannot compile something."""
        rows, steps = self._rows, (tf.constant(step), tf.constant(last))
        try:
            return self._of_one_size.of(rows)(rows.tensors, self._numbers, *steps)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            if not self.jit or not any(each in str(error) for each in _REFUSED):
                raise
            self._of_one_size = self._graphs_of_one_size(jit=False)
            self._model.execution = dataclasses.replace(self._model.execution, jit=False)
            return self._of_one_size.of(rows)(rows.tensors, self._numbers, *steps)

    def _train_on_many(self, tensors: Any, numbers: Any, size: Any, first: Any, last: Any) -> Any:
        """Trains on batches of any size, the last maybe smaller."""

        def train(step: Any) -> Any:
            begin = step * size
            count = tf.minimum(size, tf.size(numbers) - begin)
            self._model.train_step(take(tensors, tf.slice(numbers, [begin], [count])))
            return step + 1

        tf.while_loop(lambda step: step < last, train, [first], parallel_iterations=1)
        return self._model.get_metrics_result()

    def _train_on_many_alike(self, tensors: Any, numbers: Any, first: Any, last: Any) -> Any:
        """Trains on full batches, whose size is a constant."""
        size = self._rows.batch_size

        def train(step: Any) -> Any:
            chosen = of_any_size(tf.slice(numbers, [step * size], [size]))
            self._model.train_step(take(tensors, chosen))
            return step + 1

        tf.while_loop(lambda step: step < last, train, [first], parallel_iterations=1)
        return self._model.get_metrics_result()
