import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasrecipes import optimizers

KERNEL = "ResourceApplyAdam"
RNG = np.random.default_rng(0)
GRADIENTS = RNG.normal(size=(20, 3, 2)).astype("float32")


def operations(optimizer, gradient):
    weight = keras.Variable(np.ones((3, 2), "float32"))
    optimizer.build([weight])
    traced = tf.function(lambda: optimizer.apply([gradient()], [weight]))
    return {each.type for each in traced.get_concrete_function().graph.get_operations()}


def in_float64(decay, rate=0.05, epsilon=1e-8):
    """The weights after all gradients, by the equations."""
    w, m, v = np.ones((3, 2)), 0.0, 0.0
    for t, g in enumerate(GRADIENTS.astype("float64"), start=1):
        w = w - rate * decay * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + epsilon)
    return w


@pytest.mark.parametrize(("name", "decay"), [("Adam", 0.0), ("AdamW", 0.01)])
def test_it_is_nearer_to_the_rule_than_keras(name, decay):
    """Keras takes 0.999^t of a float32 and 1 - 0.999 of a float64; the kernel both of the first."""
    errors = []
    for module in (optimizers, keras.optimizers):
        given = {"weight_decay": decay} if decay else {}
        optimizer = getattr(module, name)(0.05, epsilon=1e-8, **given)
        weight = keras.Variable(np.ones((3, 2), "float32"))
        for gradient in GRADIENTS:
            optimizer.apply([tf.constant(gradient)], [weight])
        errors.append(np.abs(weight.numpy() - in_float64(decay)).max())
    assert errors[0] < 1e-6
    assert errors[0] < errors[1]


def test_it_takes_one_operation_where_the_kernel_does():
    dense = lambda: tf.ones((3, 2))  # noqa: E731
    assert KERNEL in operations(optimizers.Adam(), dense)
    assert KERNEL in operations(optimizers.AdamW(global_clipnorm=1.0), dense)
    assert KERNEL not in operations(keras.optimizers.Adam(), dense)
    assert KERNEL not in operations(optimizers.Adam(amsgrad=True), dense)
    sparse = lambda: tf.IndexedSlices(tf.ones((1, 2)), tf.constant([1]), (3, 2))  # noqa: E731
    assert KERNEL not in operations(optimizers.Adam(), sparse)
