"""Operations that wait for data."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras


@contextlib.contextmanager
def after(data: Any) -> Iterator[None]:
    """Lets what is computed within it wait for all tensors of `data`, in a graph of TensorFlow.

    At the end of a dataset TensorFlow would else make what does not depend on the batch that does
    not come: Keras's `fit` counts one step of the optimizer too many in each epoch.
    """
    if keras.config.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    def create_at_once(create: Any, **given: Any) -> Any:
        with tf.control_dependencies(None):
            return create(**given)

    leaves = tf.nest.flatten(data, expand_composites=True)
    tensors = [leaf for leaf in leaves if isinstance(leaf, tf.Tensor)]
    with tf.control_dependencies(tensors), tf.variable_creator_scope(create_at_once):
        yield
