"""The initializer that an activation asks for."""

import math

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.initializers import for_activation
from tests.harness import representative

# Of MISSION S3, for n_in inputs and n_out outputs, at slope a.
VARIANCE = {
    "he": lambda n_in, n_out, a: 2 / (1 + a**2) / n_in,
    "lecun": lambda n_in, n_out, a: 1 / n_in,
    "glorot": lambda n_in, n_out, a: 2 / (n_in + n_out),
}
CASES = [
    ("relu", "he", 0.0),
    ("gelu", "he", 0.0),
    ("silu", "he", 0.0),
    ("mish", "he", 0.0),
    ("leaky_relu", "he", 0.2),
    ("prelu", "he", 0.25),
    ("selu", "lecun", 0.0),
    ("elu", "lecun", 0.0),
    ("tanh", "glorot", 0.0),
    ("sigmoid", "glorot", 0.0),
    ("softmax", "glorot", 0.0),
    (None, "glorot", 0.0),
    (keras.layers.LeakyReLU(negative_slope=0.5), "he", 0.5),
    (keras.activations.relu, "he", 0.0),
]


@pytest.mark.parametrize("distribution", ["normal", "uniform", "untruncated_normal"])
@pytest.mark.parametrize(("activation", "family", "slope"), CASES)
def test_variance(activation, family, slope, distribution):
    initializer = for_activation(activation, distribution, seed=3)
    values = keras.ops.convert_to_numpy(initializer((100, 400)))
    expected = VARIANCE[family](100, 400, slope)
    assert values.var() == pytest.approx(expected, rel=5 * math.sqrt(2 / values.size))


@pytest.mark.parametrize("shape", [(3, 3), (64, 16), (16, 64), (3, 3, 4, 8)])
@pytest.mark.parametrize(
    ("activation", "gain"),
    [("relu", 2.0), ("selu", 1.0), ("tanh", 1.0), ("leaky_relu", 2 / 1.04)],
)
def test_orthogonal_kernels_have_the_gain(activation, gain, shape):
    kernel = for_activation(activation, "orthogonal", seed=0)(shape)
    w = keras.ops.convert_to_numpy(kernel).reshape(-1, shape[-1]).astype("float64")
    gram = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(gram, gain * np.eye(len(gram)), atol=1e-5)


@pytest.mark.parametrize("distribution", ["normal", "uniform", "orthogonal"])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "selu", "linear"])
def test_a_deep_network_keeps_its_signal(activation, distribution):
    """Thirty layers: the mean square stays, where Glorot's under ReLU falls to 1e-9."""
    x = np.random.default_rng(0).normal(size=(256, 200)).astype("float32")
    f = kr.activations.get(activation)
    for depth in range(30):
        w = for_activation(activation, distribution, seed=depth)((200, 200))
        x = f(keras.ops.matmul(x, w))
    assert 0.1 < float(keras.ops.mean(keras.ops.square(x))) < 10


def test_the_wrong_initializer_loses_it():
    x = np.random.default_rng(0).normal(size=(256, 200)).astype("float32")
    for depth in range(30):
        x = keras.ops.relu(keras.ops.matmul(x, for_activation("tanh", seed=depth)((200, 200))))
    assert float(keras.ops.mean(keras.ops.square(x))) < 1e-7


def share_of_loss_left(activation, make_initializer):
    """Trains eight hidden layers on a product of two inputs."""
    x = np.random.default_rng(0).normal(size=(256, 8)).astype("float32")
    y = (x[:, :1] * x[:, 1:2] > 0).astype("float32")
    layers = [
        keras.layers.Dense(32, activation, kernel_initializer=make_initializer(index))
        for index in range(8)
    ]
    model = keras.Sequential([keras.Input((8,)), *layers, keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
    losses = model.fit(x, y, epochs=30, batch_size=256, verbose=0).history["loss"]
    return losses[-1] / losses[0]


@pytest.mark.parametrize("activation", representative(["relu", "selu", "tanh"], "relu"))
def test_a_deep_network_learns(activation):
    assert share_of_loss_left(activation, lambda i: for_activation(activation, seed=i)) < 0.95


def test_one_with_too_small_weights_does_not():
    make = keras.initializers.RandomNormal
    assert share_of_loss_left("relu", lambda index: make(stddev=0.05, seed=index)) > 0.98


@pytest.mark.parametrize(
    ("arguments", "name"), [(("rellu",), "activation"), (("relu", "gauss"), "distribution")]
)
def test_errors(arguments, name):
    with pytest.raises(kr.InputError, match=f"`{name}`"):
        for_activation(*arguments)
