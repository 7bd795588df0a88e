"""Training or evaluation on the batches of a pipeline, many in one graph."""

from typing import Any

import keras
import tensorflow as tf

from kerasrecipes.execution.cost import CHUNK_SECONDS
from kerasrecipes.execution.waiting import after


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
        self._done = tf.Variable(tf.constant(0, tf.int64), trainable=False)
        self.forget()

    def forget(self) -> None:
        """Forgets its traces."""
        self._graph = tf.function(self._go_over, autograph=False, reduce_retracing=True)

    def __call__(self, iterator: tf.data.Iterator, most: int) -> tuple[int, dict[str, Any]]:
        """Goes over the next batches; returns how many these were, and the metrics so far.

        Args:
            iterator: Gives the batches. It may end.
            most: How many to take at most, int >= 1.
        """
        optimizer = self._model.optimizer
        if self._step == "train_step" and not optimizer.built:
            optimizer.build(self._model.trainable_variables)
        self._done.assign(0)
        try:
            logs = self._graph(iterator, tf.constant(most, tf.int64))
        except tf.errors.OutOfRangeError:
            logs = self._model.get_metrics_result()
        return int(self._done), logs

    def _go_over(self, iterator: tf.data.Iterator, most: Any) -> Any:
        end = tf.timestamp() + self._seconds

        def goes_on(done: Any) -> Any:
            return (done < most) & ((done == 0) | (tf.timestamp() < end))

        def go_over_one(done: Any) -> Any:
            batch = iterator.get_next()
            with after(batch):
                getattr(self._model, self._step)(_with_none(batch))
                self._done.assign_add(1)
            return done + 1

        tf.while_loop(goes_on, go_over_one, [tf.constant(0, tf.int64)], parallel_iterations=1)
        return self._model.get_metrics_result()


def _with_none(batch: Any) -> Any:
    """Returns the batch with None where Keras has put a `tf.experimental.Optional` for it."""
    return keras.tree.map_structure(
        lambda leaf: None if isinstance(leaf, tf.experimental.Optional) else leaf, batch
    )
