"""Rates and decay that differ by layer."""

import keras
import numpy as np
import pytest

from kerasrecipes import optimizers
from kerasrecipes._checks import InputError
from kerasrecipes.optimizers.rate_multipliers import multiplier_of
from tests.harness import check_config_round_trip


def model_of(names):
    layers = [keras.layers.Dense(2, name=name) for name in names]
    return keras.Sequential([keras.Input((3,)), *layers])


def moved(optimizer, gradient=1.0):
    model = model_of(["low", "head"])
    for weight in model.trainable_variables:
        weight.assign(keras.ops.ones(weight.shape))
    optimizer.build(model.trainable_variables)
    gradients = [keras.ops.full(w.shape, gradient) for w in model.trainable_variables]
    optimizer.apply(gradients)
    return {"/".join(w.path.split("/")[-2:]): 1 - w.numpy().mean() for w in model.weights}


def test_rate_is_multiplied_and_the_first_match_counts():
    factors = {"bias$": 0.1, "low/": 0.5, "kernel": 7.0}
    found = moved(optimizers.SGD(0.01, momentum=0.0, rate_multipliers=factors))
    expected = {"low/kernel": 0.005, "low/bias": 0.001, "head/kernel": 0.07, "head/bias": 0.001}
    assert found == pytest.approx(expected, rel=1e-4)


def test_decay_goes_with_the_rate():
    optimizer = optimizers.AdamW(0.1, weight_decay=0.5, rate_multipliers={"low/": 0.1})
    found = moved(optimizer, gradient=0.0)
    expected = {"low/kernel": 0.005, "low/bias": 0.0, "head/kernel": 0.05, "head/bias": 0.0}
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", ["adam", "lion", "muon", "schedule_free_adamw", "nadam"])
def test_a_rate_of_nothing_leaves_a_layer_as_it_is(name):
    optimizer = optimizers.get(name, learning_rate=0.1, rate_multipliers={"low/": 0.0})
    found = moved(optimizer)
    assert found["low/kernel"] == found["low/bias"] == 0.0
    assert found["head/kernel"] != 0.0


def test_multipliers_are_saved():
    clone = check_config_round_trip(optimizers.Adam(rate_multipliers={"bias": 2.0}))
    assert clone.rate_multipliers == {"bias": 2.0}


def test_layerwise_decay_counts_layers_from_the_output():
    model = model_of(["a", "b", "c"])
    found = optimizers.layerwise_decay(model, 0.9)
    assert found == pytest.approx({r"(^|/)c/": 1.0, r"(^|/)b/": 0.9, r"(^|/)a/": 0.81})
    optimizer = optimizers.SGD(1.0, momentum=0.0, rate_multipliers=found)
    before = [w.numpy() for w in model.trainable_variables]
    optimizer.apply([keras.ops.ones(w.shape) for w in before], model.trainable_variables)
    steps = [(b - w.numpy()).mean() for b, w in zip(before, model.trainable_variables, strict=True)]
    np.testing.assert_allclose(steps, [0.81, 0.81, 0.9, 0.9, 1, 1], rtol=1e-5)


def test_layerwise_decay_counts_frozen_layers():
    model = model_of(["a", "b", "c"])
    model.layers[1].trainable = False
    found = optimizers.layerwise_decay(model, 0.5)
    assert found == {r"(^|/)c/": 1.0, r"(^|/)b/": 0.5, r"(^|/)a/": 0.25}


def nested(inner, top, *, functional):
    inputs, layers = keras.Input((3,)), [keras.layers.Dense(3, name=name) for name in inner]
    if functional:
        outputs = inputs
        for layer in layers:
            outputs = layer(outputs)
        encoder = keras.Model(inputs, outputs, name="encoder")
    else:
        encoder = keras.Sequential(layers, name="encoder")
    return keras.Sequential([keras.Input((3,)), encoder, keras.layers.Dense(1, name=top)])


@pytest.mark.parametrize("functional", [True, False])
def test_layerwise_decay_counts_a_nested_model_as_one_also_after_loading(functional, tmp_path):
    model = nested(["low", "high"], "head", functional=functional)
    multipliers = optimizers.layerwise_decay(model, 0.5)
    model.compile(optimizers.SGD(0.1, rate_multipliers=multipliers), "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    for each in (model, keras.saving.load_model(tmp_path / "model.keras")):
        found = [multiplier_of(v, each.optimizer.rate_multipliers) for v in each.weights]
        assert found == [0.5] * 4 + [1.0] * 2


@pytest.mark.parametrize("functional", [True, False])
def test_layerwise_decay_refuses_names_that_it_cannot_tell_apart(functional):
    model = nested(["low", "head"], "head", functional=functional)
    with pytest.raises(InputError, match="layers of different names.*head/kernel.*'encoder'"):
        optimizers.layerwise_decay(model, 0.5)


def test_patterns_that_match_nothing_are_refused_when_built():
    optimizer = optimizers.SGD(rate_multipliers={"lwo/": 0.1})
    with pytest.raises(InputError, match="`rate_multipliers`.*'lwo/'.*low/kernel'"):
        optimizer.build(model_of(["low", "head"]).trainable_variables)
    frozen = model_of(["low", "head"])
    frozen.layers[0].trainable = False
    multipliers = optimizers.layerwise_decay(frozen, 0.5)
    optimizers.SGD(rate_multipliers=multipliers).build(frozen.trainable_variables)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.SGD(rate_multipliers=["a"]), "`rate_multipliers`"),
        (lambda: optimizers.SGD(rate_multipliers={"a": -1}), "rate_multipliers"),
        (lambda: optimizers.SGD(rate_multipliers={"(": 1.0}), "regular expressions"),
        (lambda: optimizers.layerwise_decay(keras.Sequential(), 0.9), "`model`"),
        (lambda: optimizers.layerwise_decay(model_of(["a"]), 1.5), "`factor`"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()
