"""Pipelines."""

import contextlib
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from typing import Any

import keras
import tensorflow as tf

from kerasrecipes.execution.ahead import Ahead
from kerasrecipes.execution.group_callbacks import GroupCallbacks
from kerasrecipes.execution.pipeline_graph import PipelineGraph


class Pipelines:
    """Lets a model train and evaluate by graphs on data that are not rows of numbers in memory.

    These are datasets, generators, texts and so on: what Keras makes iterators over batches of.

    Args:
        model: A model on one device.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._graphs: dict[str, PipelineGraph] = {}
        self._ahead: dict[str, Ahead | None] = {}

    def forget(self, kind: str) -> None:
        """Forgets the traces of a kind, "train" or "test"."""
        if kind in self._graphs:
            self._graphs[kind].forget()

    def function(self, kind: str) -> Callable[[], Ahead | None]:
        """Returns what returns the function for iterators now; None is for Keras's own."""
        return functools.partial(self._ahead.get, kind)

    @contextlib.contextmanager
    def fit(self, given: Mapping[str, Any], callbacks: Sequence[Any]) -> Iterator[GroupCallbacks]:
        """Trains by a graph meanwhile; yields the callbacks for Keras's `fit`.

        Args:
            given: The arguments of `fit`.
            callbacks: Its callbacks, none of which needs every batch.
        """
        steps, may_end = steps_of(given)
        looks = [each.check_every for each in callbacks if hasattr(each, "check_every")]
        ahead = Ahead(
            self._graph("train"),
            self._model,
            steps=steps,
            may_end=may_end,
            at_most=min(looks, default=None),
        )
        verbose = given.get("verbose", "auto")
        group = GroupCallbacks(
            ahead,
            list(callbacks),
            add_history=True,
            add_progbar=verbose != 0,
            model=self._model,
            verbose=verbose,
            epochs=given.get("epochs", 1),
            steps=steps,
        )
        with self._going_by("train", ahead):
            yield group

    def evaluate(self, given: Mapping[str, Any]) -> contextlib.AbstractContextManager[None]:
        """Evaluates by a graph meanwhile.

        Args:
            given: The arguments of `evaluate`.
        """
        steps, may_end = steps_of(given)
        graph = self._graph("test")
        return self._going_by("test", Ahead(graph, self._model, steps=steps, may_end=may_end))

    def batch_by_batch(self, kind: str) -> contextlib.AbstractContextManager[None]:
        """Leaves all to Keras meanwhile."""
        return self._going_by(kind, None)

    def _graph(self, kind: str) -> PipelineGraph:
        if kind not in self._graphs:
            self._graphs[kind] = PipelineGraph(self._model, f"{kind}_step")
        return self._graphs[kind]

    @contextlib.contextmanager
    def _going_by(self, kind: str, ahead: Ahead | None) -> Iterator[None]:
        before, self._ahead[kind] = self._ahead.get(kind), ahead
        try:
            yield
        finally:
            self._ahead[kind] = before


def steps_of(given: Mapping[str, Any]) -> tuple[int | None, bool]:
    """Returns the batches of an epoch, None if only its end tells; and whether it may end before.

    Args:
        given: The arguments of a `fit`, or of an `evaluate`.
    """
    x: Any = given.get("x")
    steps = given.get("steps_per_epoch") or given.get("steps")
    if steps:
        return steps, not (isinstance(x, tf.data.Dataset) and _is_endless(x))
    known = _batches(x, given)
    return known or None, not known


def _is_endless(dataset: tf.data.Dataset) -> bool:
    return int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY


def _batches(x: Any, given: Mapping[str, Any]) -> int | None:
    if isinstance(x, tf.data.Dataset):
        steps = int(x.cardinality())
        return steps if steps >= 0 else None
    if hasattr(x, "num_batches"):  # a `keras.utils.PyDataset`
        return x.num_batches
    leaves = keras.tree.flatten(x)
    if not all(hasattr(leaf, "shape") for leaf in leaves):
        return len(x) if isinstance(x, Sized) and not isinstance(x, (list, tuple, dict)) else None
    rows = leaves[0].shape[0]
    if given.get("validation_split") and given.get("validation_data") is None:
        rows = math.floor(rows * (1 - given["validation_split"]))
    return -(-rows // (given.get("batch_size") or 32))
