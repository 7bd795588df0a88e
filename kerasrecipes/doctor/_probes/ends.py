"""F11: the end of data whose size Keras does not know."""

import warnings

import keras
import numpy as np

from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import X, Y


def updates_at_the_end(kind: type[keras.Model] = keras.Model) -> Seen:
    """Five epochs over two batches, of a dataset that does not tell their number."""
    import tensorflow as tf

    inputs = keras.Input((3,))
    model = kind(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse", jit_compile=False)
    rows = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
    data = rows.filter(lambda *batch: True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Your input ran out of data")
        model.fit(data, epochs=5, shuffle=False, verbose=0)
    found = int(np.array(model.optimizer.iterations))
    return Seen(found != 10, f"5 epochs of 2 batches count as {found} updates")
