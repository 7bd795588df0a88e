"""TensorFlow, for the functions of this package that need it."""

from typing import Any

import keras

from kerasrecipes._checks import InputError


def tensorflow() -> Any:
    """Returns TensorFlow; another backend of Keras does not train under its strategies."""
    if keras.config.backend() != "tensorflow":
        raise InputError(
            "`strategy` needs Keras's TensorFlow backend (KERAS_BACKEND=tensorflow). Received: "
            f"{keras.config.backend()!r}. For JAX, see `keras.distribution`."
        )
    import tensorflow as tf

    return tf


def has_started(tf: Any) -> bool:
    """Returns whether TensorFlow has its devices already, and takes no new configuration."""
    threads = tf.config.threading.get_inter_op_parallelism_threads()
    try:
        tf.config.threading.set_inter_op_parallelism_threads(threads + 1)
    except RuntimeError:
        return True
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return False
