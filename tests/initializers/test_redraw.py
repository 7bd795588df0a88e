"""Drawing the random weights of a model anew."""

import itertools

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.initializers import redraw

L = keras.layers


def glorot():
    return keras.initializers.GlorotUniform(seed=0)


def attention():
    layer = L.MultiHeadAttention(2, 8, kernel_initializer=glorot())
    layer.build((None, 5, 16), (None, 5, 16))
    return layer


def bidirectional():
    lstm = L.LSTM(4, kernel_initializer=glorot(), recurrent_initializer="orthogonal")
    layer = L.Bidirectional(lstm)
    layer.build((None, 5, 3))
    return layer


def shared():
    initializer = glorot()
    layers = [L.Dense(6, kernel_initializer=initializer) for _ in range(3)]
    return keras.Sequential([keras.Input((6,)), *layers])


def everything():
    separable = L.SeparableConv1D(4, 3, depthwise_initializer="he_normal")
    depthwise = L.DepthwiseConv1D(3, padding="same")
    layers = [L.Embedding(9, 4), separable, depthwise, L.BatchNormalization(), L.Dense(2)]
    return keras.Sequential([keras.Input((7,)), *layers])


def numbers(variables):
    return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]


def some_equal(layer):
    kernels = numbers(v for v in layer.weights if v.path.endswith("kernel"))
    pairs = itertools.combinations(kernels, 2)
    return any(a.shape == b.shape and np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("make", [attention, bidirectional, shared])
def test_keras_copies_an_integer_seed_and_this_tells_the_copies_apart(make):
    layer = make()
    assert some_equal(layer)
    redraw(layer, seed=0)
    assert not some_equal(layer)


@pytest.mark.parametrize(
    ("make", "count"), [(attention, 4), (bidirectional, 4), (shared, 3), (everything, 5)]
)
def test_it_is_reproducible_and_leaves_constants_alone(make, count):
    first, second, third = make(), make(), make()
    drawn = redraw(first, seed=7)
    assert len(drawn) == count
    kept = [v for v in first.weights if not any(v is other for other in drawn)]
    assert {v.name for v in kept} <= {"bias", "gamma", "beta", "moving_mean", "moving_variance"}
    for a, b in zip(numbers(drawn), numbers(redraw(second, seed=7)), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(numbers(drawn), numbers(redraw(third, seed=8)), strict=True):
        assert np.abs(a - b).max() > 1e-4


def test_the_forget_gate_keeps_its_bias():
    layer = bidirectional()
    redraw(layer, seed=0)
    bias = keras.ops.convert_to_numpy(layer.forward_layer.cell.bias)
    np.testing.assert_array_equal(bias[4:8], 1)


def test_the_distribution_stays():
    inputs = keras.Input((400,))
    dense = L.Dense(300, kernel_initializer="he_normal")
    model = keras.Model(inputs, dense(inputs))
    redraw(model, seed=1)
    assert keras.ops.convert_to_numpy(dense.kernel).var() == pytest.approx(2 / 400, rel=0.02)


def test_a_recipe_starts_over():
    model = kr.recipes.mlp((12,), kr.targets.Multiclass(3), hidden=(16, 16), seed=0)
    before = numbers(model.trainable_variables)
    redraw(model, seed=1)
    changed = [
        not np.array_equal(a, b)
        for a, b in zip(before, numbers(model.trainable_variables), strict=True)
    ]
    assert sum(changed) == 3


@pytest.mark.parametrize(
    "make", [lambda: L.Dense(3), lambda: keras.Sequential([keras.Input((2,)), L.Flatten()])]
)
def test_errors(make):
    with pytest.raises(kr.InputError, match="`model` must be built and hold random weights"):
        redraw(make())
