"""The randomized leaky ReLU at its mean slope."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.activations import rrelu
from tests.harness import check_save_round_trip

X = np.linspace(-3, 3, 61).astype("float32")


@pytest.mark.parametrize(("lower", "upper"), [(1 / 8, 1 / 3), (0.0, 0.0), (0.2, 0.9)])
def test_equals_the_formula_and_the_layer_in_inference(lower, upper):
    y = keras.ops.convert_to_numpy(rrelu(X, lower, upper))
    np.testing.assert_allclose(y, np.where(X < 0, (lower + upper) / 2 * X, X), atol=1e-6)
    layer = kr.layers.RReLU(lower, upper)
    np.testing.assert_allclose(y, keras.ops.convert_to_numpy(layer(X)), atol=1e-6)


def test_serves_as_activation_of_a_saved_model(tmp_path):
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(3, activation=rrelu)(inputs))
    check_save_round_trip(model, X[:, None], tmp_path)


@pytest.mark.parametrize(("lower", "upper", "name"), [(-1, 1, "lower"), (0.5, 0.4, "upper")])
def test_errors(lower, upper, name):
    with pytest.raises(kr.InputError, match=f"`{name}`"):
        rrelu(X, lower, upper)
