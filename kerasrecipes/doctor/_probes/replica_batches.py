"""D3, D4, D7, D8: batches, layers and losses of several replicas."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrecipes.doctor._probes.mirrored import on_each, replica, strategy
from kerasrecipes.doctor._probes.seen import Seen


def drifting_statistics(layer: Callable[[], Any] = keras.layers.BatchNormalization) -> Seen:
    """Rows of zeros on one replica, of tens on the other."""
    with strategy().scope():
        normalise = layer()
        normalise.build((None, 1))
    on_each(lambda: normalise(tf.fill((4, 1), 10.0 * _number()), training=True))
    mean = next(w for w in normalise.weights if "moving_mean" in w.path)
    copies = [float(each[0]) for each in on_each(lambda: tf.identity(mean.value))]
    outputs = on_each(lambda: normalise(tf.fill((4, 1), 10.0 * _number()), training=True))
    found = [float(each.mean()) for each in outputs]
    return Seen(
        abs(found[0] - found[1]) < 1.0,
        f"rows of 0 and of 10 on two replicas are normalised to {found[0]:.2g} and {found[1]:.2g}"
        f" instead of -1 and 1; moving means {copies[0]:.2g} and {copies[1]:.2g}",
    )


def _number() -> Any:
    return tf.cast(replica(), "float32")


def _linear(kind: type[keras.Model], layers: list[Any], **settings: Any) -> keras.Model:
    with strategy().scope():
        inputs = outputs = keras.Input((3,))
        for layer in layers:
            outputs = layer(outputs)
        model = kind(inputs, outputs)
        model.compile(keras.optimizers.SGD(0.1), "mse", **settings)
    return model


def empty_replica(kind: type[keras.Model] = keras.Model) -> Seen:
    """A last batch of one row, for two replicas."""
    model = _linear(kind, [keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    loss = model.fit(x, x[:, :1], batch_size=4, verbose=0).history["loss"][0]
    finite = all(np.isfinite(weight).all() for weight in model.get_weights())
    return Seen(
        not finite,
        f"a last batch of one row: loss {loss:.2g}, "
        f"weights {'finite' if finite else 'that are NaN'}",
    )


def row_weights(kind: type[keras.Model] = keras.Model) -> Seen:
    """Four rows without effect, then three that each move a weight of their own.

    The first batch is even, since Keras fails on an uneven first one.
    """
    model = _linear(kind, [keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    x = np.concatenate([np.zeros((4, 3)), np.eye(3)]).astype("float32")
    model.fit(x, np.ones((7, 1)), batch_size=4, shuffle=False, verbose=0)
    shares = model.get_weights()[0].ravel()
    shares = shares / shares.sum()
    used = shares[shares > 1e-6]
    return Seen(
        used.max() / used.min() > 1.01,
        f"three rows count for {', '.join(f'{share:.2f}' for share in shares)} in an update",
    )


def dropout_masks(kind: type[keras.Model] = keras.Model) -> Seen:
    """The masks of two replicas, after a step of `fit`."""
    with strategy().scope():
        inputs = keras.Input((64,))
        same = keras.layers.Dense(64, kernel_initializer="identity")(inputs)
        model = kind(inputs, keras.layers.Dropout(0.5, seed=1)(same))
        model.compile(keras.optimizers.SGD(1e-6), "mse")
    x = np.ones((4, 64), "float32")
    model.fit(x, x, batch_size=4, verbose=0)
    first, second = on_each(lambda: model(tf.ones((2, 64)), training=True))
    share = float(np.mean((first != 0) == (second != 0)))
    return Seen(
        share == 1.0, f"dropout of 0.5 agrees between replicas in {share:.0%} of the places"
    )


def masked_loss(kind: type[keras.Model] = keras.Model) -> Seen:
    """Two sequences: one of a single step and loss 1, one of three steps and loss 9 each."""
    with strategy().scope():
        inputs = keras.Input((3, 1))
        outputs = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(
            keras.layers.Masking()(inputs)
        )
        model = kind(inputs, outputs)
        model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.array([[1, 0, 0], [3, 3, 3]], "float32")[..., None]
    loss = model.fit(x, 0 * x, batch_size=2, shuffle=False, verbose=0).history["loss"][0]
    return Seen(
        abs(loss - 7) > 1e-3, f"the mean over 4 steps of two sequences is {loss:.3g}, not 7"
    )
