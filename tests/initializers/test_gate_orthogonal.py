"""Orthogonal recurrent kernels, gate by gate."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from tests.harness import check_config_round_trip, check_save_round_trip

make = kr.initializers.GateOrthogonal
X = np.random.default_rng(0).normal(size=(8, 5, 3)).astype("float32")


def kernel(shape=(6, 18), **arguments):
    return keras.ops.convert_to_numpy(make(**arguments)(shape)).astype("float64")


@pytest.mark.parametrize("gates", [1, 3, 4])
def test_each_gate_is_orthogonal(gates):
    for part in np.split(kernel((6, 6 * gates), gain=0.5, seed=1), gates, axis=1):
        np.testing.assert_allclose(part.T @ part, 0.25 * np.eye(6), atol=1e-6)


def test_keras_shrinks_the_state_at_each_gate():
    whole = keras.initializers.Orthogonal(seed=1)((60, 180))
    parts = np.split(keras.ops.convert_to_numpy(whole), 3, axis=1)
    sizes = [np.linalg.norm(part) / np.sqrt(60) for part in parts]
    np.testing.assert_allclose(sizes, np.sqrt(1 / 3), atol=0.05)
    sizes = [np.linalg.norm(part) / np.sqrt(60) for part in np.split(kernel((60, 180)), 3, axis=1)]
    np.testing.assert_allclose(sizes, 1, atol=1e-6)


def test_gates_differ_and_seeds_decide():
    first, second, third = np.split(kernel(seed=1), 3, axis=1)
    assert not np.allclose(first, second)
    assert not np.allclose(second, third)
    np.testing.assert_array_equal(kernel(seed=1), kernel(seed=1))
    assert not np.allclose(kernel(seed=1), kernel(seed=2))
    generator = keras.random.SeedGenerator(3)
    parts = np.split(kernel(seed=generator), 3, axis=1)
    assert not np.allclose(parts[0], parts[1])


def test_it_is_named_saved_and_kept_by_redraw(tmp_path):
    check_config_round_trip(make(seed=4))
    named = kr.initializers.get("gate_orthogonal", activation="tanh", seed=4)
    assert isinstance(named, make)
    layer = keras.layers.LSTM(4, recurrent_initializer=named)
    inputs = keras.Input((5, 3))
    model = keras.Model(inputs, layer(inputs))
    check_save_round_trip(model, X, tmp_path)
    kr.initializers.redraw(model, seed=1)
    for part in np.split(layer.cell.recurrent_kernel.numpy(), 4, axis=1):
        np.testing.assert_allclose(part.T @ part, np.eye(4), atol=1e-5)


@pytest.mark.parametrize("shape", [(6,), (6, 16), (6, 6, 6)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="GateOrthogonal needs a kernel"):
        make()(shape)
