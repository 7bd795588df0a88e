"""The kind of dropout that costs least on the device at hand."""

from typing import Any

import keras

from kerasrecipes.layers.hash_dropout import HashDropout


def cheapest_dropout(rate: float, **kwargs: Any) -> keras.layers.Dropout:
    """Returns a layer of dropout, of hashed counters where they are cheaper than a generator.

    PyTorch and GPUs have a kernel for Keras's.

    Args:
        rate: Rate in [0, 1).
        **kwargs: `noise_shape`, `seed`, `name` and `dtype`.
    """
    kind = keras.layers.Dropout if _has_kernel() else HashDropout
    return kind(rate, **kwargs)


def _has_kernel() -> bool:
    if keras.config.backend() != "tensorflow":
        return keras.config.backend() == "torch"
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
