"""Partial: activations with fixed arguments."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.activations import Partial
from tests.harness import check_config_round_trip, check_save_round_trip

X = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")


@keras.saving.register_keras_serializable("mine")
def power(x, exponent):
    return x**exponent


@pytest.mark.parametrize(
    ("partial", "formula"),
    [
        (Partial("leaky_relu", negative_slope=0.1), lambda x: np.where(x > 0, x, 0.1 * x)),
        (Partial("relu", max_value=0.5), lambda x: np.clip(x, 0, 0.5)),
        (Partial("rrelu", lower=0.2, upper=0.4), lambda x: np.where(x > 0, x, 0.3 * x)),
        (Partial("squareplus", b=1), lambda x: (x + np.sqrt(x**2 + 1)) / 2),
        (Partial(power, exponent=2), np.square),
        (
            Partial(keras.activations.celu, alpha=2.0),
            lambda x: np.where(x > 0, x, 2 * np.expm1(x / 2)),
        ),
    ],
    ids=lambda each: repr(each) if isinstance(each, Partial) else "expected",
)
def test_values_configs_and_saving(partial, formula, tmp_path):
    expected = formula(X.astype("float64"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(partial(X)), expected, atol=1e-6)
    clone = check_config_round_trip(partial)
    np.testing.assert_array_equal(clone(X), partial(X))
    inputs = keras.Input((6,))
    model = keras.Model(inputs, keras.layers.Dense(3, activation=partial)(inputs))
    check_save_round_trip(model, X, tmp_path)


def test_the_plain_ways_cannot_be_loaded(tmp_path):
    """What it is for: Keras saves a lambda, and refuses to load it."""
    inputs = keras.Input((6,))
    dense = keras.layers.Dense(3, activation=lambda x: keras.activations.elu(x, alpha=2.0))
    with pytest.warns(UserWarning, match="lambda"):
        keras.Model(inputs, dense(inputs)).save(tmp_path / "model.keras")
    with pytest.raises((TypeError, ValueError), match="could not be deserialized"):
        keras.saving.load_model(tmp_path / "model.keras")


def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    layer = keras.layers.Activation(Partial("leaky_relu", negative_slope=0.1))
    assert keras.backend.standardize_dtype(layer(X).dtype) == "float16"


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("leaky_rely", {}, "Did you mean 'leaky_relu'"),
        ("leaky_relu", {"slope": 0.1}, "does not fit leaky_relu.*'slope'"),
        ("threshold", {}, "does not fit threshold.*missing"),
        (3, {}, "`function` must be"),
    ],
)
def test_errors(function, arguments, message):
    with pytest.raises(kr.InputError, match=message):
        Partial(function, **arguments)
