"""Training or evaluation on the batches of a pipeline, many in one graph."""

import functools
from typing import Any

import keras
import tensorflow as tf

from kerasrecipes.execution.cost import CHUNK_SECONDS


class PipelineGraph:
    """Trains or evaluates a model on the next batches of an iterator in one graph.

    It goes on until the time is up, and looks at the clock between batches: so it needs to know
    nothing of what a batch costs, and takes none that it does not use.

    Args:
        model: A model on one device, built and compiled when it is called.
        step: "train_step" or "test_step".
        seconds: How long a call may take, besides its last batch.
    """

    def __init__(self, model: keras.Model, step: str, seconds: float = CHUNK_SECONDS) -> None:
        self._model = model
        self._step = step
        self._seconds = seconds
        self.forget()

    def forget(self) -> None:
        """Forgets its traces."""
        self._known = self._graph(self._take_one)
        self._unknown = self._graph(self._take_one_if_any)

    def _graph(self, take_one: Any) -> Any:
        # TensorFlow warns of many traces of one function; a `partial` is one for each model.
        function = functools.partial(self._go_over, take_one)
        return tf.function(function, autograph=False, reduce_retracing=True)

    def __call__(
        self, iterator: tf.data.Iterator, most: int, *, may_end: bool
    ) -> tuple[int, bool, dict[str, Any]]:
        """Goes over the next batches; returns how many, whether these were all, and the metrics.

        Args:
            iterator: Gives the batches.
            most: How many to take at most, int >= 1.
            may_end: Whether there may be fewer. To find out takes time at each batch.
        """
        optimizer = self._model.optimizer
        if self._step == "train_step" and not optimizer.built:
            optimizer.build(self._model.trainable_variables)
        graph = self._unknown if may_end else self._known
        done, more, logs = graph(iterator, tf.constant(most, tf.int64))
        return int(done), not bool(more), logs

    def _go_over(self, take_one: Any, iterator: tf.data.Iterator, most: Any) -> Any:
        end = tf.timestamp() + self._seconds

        def goes_on(done: Any, more: Any) -> Any:
            return more & (done < most) & ((done == 0) | (tf.timestamp() < end))

        def go_over_one(done: Any, _: Any) -> Any:
            taken = take_one(iterator)
            return done + tf.cast(taken, tf.int64), taken

        start = [tf.constant(0, tf.int64), tf.constant(True)]
        done, more = tf.while_loop(goes_on, go_over_one, start, parallel_iterations=1)
        return done, more, self._model.get_metrics_result()

    def _take_one(self, iterator: tf.data.Iterator) -> Any:
        self._go(iterator.get_next())
        return tf.constant(True)

    def _take_one_if_any(self, iterator: tf.data.Iterator) -> Any:
        batch = iterator.get_next_as_optional()

        def go() -> Any:
            self._go(batch.get_value())
            return tf.constant(True)

        return tf.cond(batch.has_value(), go, lambda: tf.constant(False))

    def _go(self, batch: Any) -> None:
        getattr(self._model, self._step)(_with_none(batch))


def _with_none(batch: Any) -> Any:
    """Returns the batch with None where Keras has put a `tf.experimental.Optional` for it."""
    return keras.tree.map_structure(
        lambda leaf: None if isinstance(leaf, tf.experimental.Optional) else leaf, batch
    )
