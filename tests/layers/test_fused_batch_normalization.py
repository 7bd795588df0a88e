"""The fused kernel computes what Keras's batch normalisation does."""

import keras
import numpy as np
import pytest

from kerasrecipes.layers import ConvBlock, FusedBatchNormalization
from tests.backends import WIDEST, array, assert_close

RNG = np.random.default_rng(0)
X = (3 + 2 * RNG.normal(size=(6, 5, 4, 3))).astype("float32")
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


def pair(**arguments):
    """Our layer and Keras's, with the same weights, none of them as at the start."""
    layers = [FusedBatchNormalization(**arguments), keras.layers.BatchNormalization(**arguments)]
    layers[0].build(X.shape)
    layers[1].build(X.shape)
    values = [RNG.uniform(0.5, 2.0, size=w.shape) for w in layers[0].weights]
    for layer in layers:
        layer.set_weights(values)
    return layers


CASES = [
    {},
    {"momentum": 0.5, "epsilon": 0.1},
    {"epsilon": 1e-7},
    {"axis": 1},
    {"scale": False},
    {"center": False},
    {"dtype": "mixed_float16"},
    {"dtype": WIDEST},
]


@pytest.mark.parametrize("arguments", CASES, ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_equals_the_layer_of_keras(arguments, training):
    ours, keras_layer = pair(**arguments)
    x = X.astype(WIDEST) if arguments.get("dtype") == WIDEST else X
    y, expected = (array(layer(x, training=training)) for layer in (ours, keras_layer))
    assert y.dtype == expected.dtype
    atol = 5e-3 if arguments.get("dtype") == "mixed_float16" else 1e-5
    assert_close(y.astype("float32"), expected.astype("float32"), atol=atol)
    for a, b in zip(ours.weights, keras_layer.weights, strict=True):
        assert_close(array(a), array(b), atol=1e-5)


def test_equals_the_formula():
    layer = FusedBatchNormalization(momentum=0.9)
    y = array(layer(X, training=True))
    x = X.astype("float64")
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    assert_close(y, (x - mean) / np.sqrt(variance + 1e-3), atol=1e-5)
    assert_close(array(layer.moving_mean), 0.1 * mean, atol=1e-5)
    assert_close(array(layer.moving_variance), 0.9 + 0.1 * variance, atol=1e-5)


def test_masks_and_a_single_position_count_as_in_keras():
    mask = RNG.random(X.shape[:3]) < 0.7
    for ours, keras_layer in (pair(), pair()):
        y, expected = (array(layer(X, training=True, mask=mask)) for layer in (ours, keras_layer))
        assert_close(y, expected, atol=1e-5)
    ours, keras_layer = pair()
    for layer in (ours, keras_layer):
        layer(X[:1, :1, :1], training=True)
    assert_close(array(ours.moving_variance), array(keras_layer.moving_variance), atol=1e-6)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="gradients by tf.GradientTape")
@pytest.mark.parametrize("mode", ["training", "inference", "frozen"])
def test_gradients_equal_those_of_keras(mode):
    import tensorflow as tf

    found = []
    for layer in pair():
        layer.trainable = mode != "frozen"
        weights = [layer.gamma.value, layer.beta.value]
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch([x, *weights])
            y = layer(x, training=mode != "inference")
            loss = tf.reduce_sum(y**2 * tf.range(1.0, 1 + y.shape[1])[:, None, None])
        found.append([g.numpy() for g in tape.gradient(loss, [x, *weights])])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-3)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="the kernel is TensorFlow's")
def test_the_kernel_is_used_for_images_only():
    import tensorflow as tf

    def operations(layer, shape):
        function = tf.function(lambda x: layer(x, training=True))
        graph = function.get_concrete_function(tf.TensorSpec(shape, "float32")).graph
        return {each.type for each in graph.get_operations()}

    assert "FusedBatchNormV3" in operations(FusedBatchNormalization(), (2, 4, 4, 3))
    for layer, shape in (
        (FusedBatchNormalization(), (2, 3)),
        (FusedBatchNormalization(synchronized=True), (2, 4, 4, 3)),
    ):
        assert "FusedBatchNormV3" not in operations(layer, shape)


def test_blocks_take_it_as_a_template():
    block = ConvBlock(4, normalization=FusedBatchNormalization(momentum=0.9), seed=0)
    assert tuple(block(X).shape) == (6, 5, 4, 4)
    assert type(block.norm) is FusedBatchNormalization
    assert block.norm.momentum == 0.9
    assert not block.linear.use_bias
