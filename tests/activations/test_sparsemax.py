"""Sparsemax against its definition: the nearest point of the simplex."""

import keras
import numpy as np
import pytest
import scipy.optimize

import kerasrecipes as kr
from tests.backends import WIDEST, array

ROWS = np.random.default_rng(0).normal(size=(8, 5)).astype("float32") * 2


def nearest_on_the_simplex(row):
    constraint = {"type": "eq", "fun": lambda p: p.sum() - 1}
    found = scipy.optimize.minimize(
        lambda p: ((p - row) ** 2).sum(),
        np.full(row.size, 1 / row.size),
        bounds=[(0, 1)] * row.size,
        constraints=constraint,
        tol=1e-12,
    )
    return found.x


def test_it_is_the_projection_onto_the_simplex():
    found = keras.ops.convert_to_numpy(kr.activations.sparsemax(ROWS))
    np.testing.assert_allclose(found, [nearest_on_the_simplex(row) for row in ROWS], atol=1e-5)
    np.testing.assert_allclose(found.sum(-1), 1, rtol=1e-6)
    assert (found == 0).any()


def test_along_another_axis():
    found = keras.ops.convert_to_numpy(kr.activations.sparsemax(ROWS.T, axis=0))
    np.testing.assert_array_equal(
        found, keras.ops.convert_to_numpy(kr.activations.sparsemax(ROWS)).T
    )


def test_gradient_is_centred_on_the_support():
    kernel = np.eye(5, dtype="float32")
    layer = keras.layers.Dense(5, activation=kr.activations.sparsemax)
    model = keras.Sequential([keras.Input((5,)), layer])
    model.set_weights([kernel, np.zeros(5)])
    model.compile(keras.optimizers.SGD(1.0), lambda y, p: keras.ops.sum(y * p, -1))
    upstream = np.array([[3.0, -1.0, 2.0, 0.5, 1.0]], "float32")
    x = np.array([[0.5, 1.0, 0.9, -3.0, -3.0]], "float32")
    model.fit(x, upstream, verbose=0)
    support = array(kr.activations.sparsemax(x))[0] > 0
    expected = np.where(support, upstream[0] - upstream[0][support].mean(), 0)
    np.testing.assert_allclose(-model.get_weights()[1], expected, atol=1e-6)


def test_the_name_means_this_one():
    assert kr.activations.get("sparsemax") is kr.activations.sparsemax


@pytest.mark.parametrize("dtype", ["float16", WIDEST])
def test_dtype(dtype):
    assert (
        keras.backend.standardize_dtype(kr.activations.sparsemax(ROWS.astype(dtype)).dtype) == dtype
    )


def test_keras_does_not_sum_to_one():
    plain = keras.ops.convert_to_numpy(keras.activations.sparsemax(np.array([[0.5, 1.0, 0.0]])))
    assert abs(plain.sum() - 1) > 0.1, "Keras mended it"
