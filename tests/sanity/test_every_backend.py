"""The checks run on every Keras backend, and leave the model as it was."""

import keras
import numpy as np

import kerasrecipes as kr
from tests.sanity.cases import XV, YV, X, Y, check, fired, network


def held(model):
    return [keras.ops.convert_to_numpy(each).tobytes() for each in model.variables]


def test_a_sound_recipe_is_silent_and_as_it_was():
    target = kr.targets.Multiclass(3)
    model = kr.recipes.mlp((6,), target, hidden=(16,), l2=1e-4, seed=0)
    before = held(model)
    assert fired(kr.sanity.check(model, (X, Y), validation_data=(XV, YV))) == {}
    assert held(model) == before


class Cut(keras.layers.Layer):
    def call(self, x):
        return x + keras.ops.stop_gradient(keras.ops.square(x))


class Detached(keras.layers.Layer):
    def call(self, x):
        return keras.ops.stop_gradient(x)


def test_what_is_wrong_is_found():
    twice = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    names = ("loss_activation", "feature_scale", "numeric_gradients", "bias_before_norm")
    layers = [keras.layers.Dense(8), keras.layers.BatchNormalization(), Cut()]
    report = check(network(*layers, loss=twice), X * 1000, only=names)
    assert set(fired(report)) == set(names)
    report = check(network(16, Detached()), only=["trained_weights"], steps=5)
    assert fired(report) == {"trained_weights": "fail"}
    flow = network(*[8] * 10, activation="sigmoid", initializer="glorot_uniform")
    assert fired(check(flow, only=["gradient_flow"])) == {"gradient_flow": "fail"}
    assert np.isfinite(check(network(), only=["first_loss"])["first_loss"].seen)
