import keras
import numpy as np
import pytest
from keras import ops

from kerasrecipes._checks import InputError
from kerasrecipes.layers import (
    DenseBlock,
    WeightNormalization,
    WeightStandardization,
    initialize_weight_normalization,
)
from tests.backends import WIDEST, array, assert_close, gradients

RNG = np.random.default_rng(0)
X = RNG.normal(2.0, 3.0, size=(30, 8, 8, 4))
LAYERS = {
    "dense": (lambda: keras.layers.Dense(5, "relu"), (0,)),
    "conv": (lambda: keras.layers.Conv2D(6, 3, groups=2, activation="tanh"), (0, 1, 2)),
    "transpose": (lambda: keras.layers.Conv2DTranspose(6, 3), (0, 1, 3)),
    "depthwise": (lambda: keras.layers.DepthwiseConv2D(3, depth_multiplier=2), (0, 1)),
}


def wrap(layer):
    return WeightNormalization(layer, dtype=WIDEST)


@pytest.mark.parametrize("name", LAYERS)
def test_wrapping_changes_nothing_at_first_and_gains_scale_channels(name):
    make, axes = LAYERS[name]
    wrapped = wrap(make())
    y = array(wrapped(X))
    assert_close(y, wrapped.layer(X), atol=1e-10)
    kernel = array(wrapped.layer.kernel)
    gains = RNG.uniform(0.5, 2, size=wrapped.gain.shape)
    wrapped.gain.assign(gains)
    length = np.sqrt((kernel**2).sum(axes, keepdims=True))
    expected = np.expand_dims(gains, axes) * kernel / length
    assert_close(wrapped.effective_kernel(), expected, atol=1e-10)


def test_gradients_are_those_of_the_paper():
    layer = wrap(keras.layers.Dense(3, use_bias=False))
    x = RNG.normal(size=(5, 4))
    layer(x)
    layer.gain.assign([0.5, 1.0, 2.0])
    v, g = array(layer.layer.kernel), array(layer.gain)
    length = np.sqrt((v**2).sum(0))
    w = g * v / length
    by_w = x.T @ (1 - np.tanh(x @ w) ** 2)
    by_g = (by_w * v).sum(0) / length
    by_v = g / length * by_w - g * by_g / length**2 * v
    by_gain, by_kernel = gradients(
        lambda: ops.sum(ops.tanh(layer(x))), [layer.gain, layer.layer.kernel]
    )
    assert_close(by_gain, by_g, atol=1e-9)
    assert_close(by_kernel, by_v, atol=1e-9)
    assert_close((by_kernel * v).sum(0), 0, atol=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_initialize_standardises_the_output_before_the_activation(name):
    wrapped = wrap(LAYERS[name][0]())
    activation = wrapped.layer.activation
    wrapped.initialize(X)
    assert wrapped.layer.activation is activation
    wrapped.layer.activation = keras.activations.linear
    y = array(wrapped(X))
    assert_close(y.mean(axis=(0, 1, 2)), 0, atol=1e-8)
    assert_close(y.std(axis=(0, 1, 2)), 1, atol=1e-8)


def test_initialize_without_bias_and_with_a_constant_channel():
    wrapped = wrap(keras.layers.Dense(2, use_bias=False))
    wrapped.initialize(X)
    assert_close(array(wrapped(X)).std(axis=(0, 1, 2)), 1, atol=1e-8)
    constant = wrap(keras.layers.Dense(2))
    constant.build((None, 3))
    before = constant.get_weights()
    constant.initialize(np.zeros((10, 3)))
    for a, b in zip(before, constant.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_whole_model_is_initialised_in_the_order_of_the_network():
    def layer():
        return WeightNormalization(keras.layers.Dense(16, "relu"))

    inputs = keras.Input((8,))
    inner = keras.Sequential([layer(), layer()])
    outputs = WeightNormalization(keras.layers.Dense(3))(inner(layer()(inputs)))
    model = keras.Model(inputs, outputs)
    x = RNG.normal(1.0, 5.0, size=(200, 8)).astype("float32")
    initialize_weight_normalization(model, x)
    y = model.predict(x, verbose=0)
    assert_close(y.mean(0), 0, atol=1e-4)
    assert_close(y.std(0), 1, atol=1e-4)
    assert all("call" not in vars(each) for each in model.layers)


def test_trains_in_a_compiled_model_and_moves_gain_and_direction():
    layer = WeightNormalization(keras.layers.Dense(4, "relu"))
    model = keras.Sequential([keras.Input((6,)), layer, keras.layers.Dense(1)])
    before = [array(layer.gain), array(layer.layer.kernel)]
    x = RNG.normal(size=(64, 6)).astype("float32")
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1], epochs=2, verbose=0)
    assert not np.allclose(before[0], array(layer.gain))
    assert not np.allclose(before[1], array(layer.layer.kernel))


def test_wrappers_nest_in_no_other_kernel_layer():
    with pytest.raises(InputError, match="`layer` must be a Dense, Conv"):
        WeightNormalization(WeightStandardization(keras.layers.Dense(2)))


def test_a_model_without_such_layers_is_refused():
    model = keras.Sequential([keras.Input((3,)), DenseBlock(2)])
    with pytest.raises(InputError, match="must hold WeightNormalization layers"):
        initialize_weight_normalization(model, np.ones((2, 3)))
