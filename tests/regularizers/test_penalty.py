"""What the regularizers add to the loss."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.regularizers import get, penalty
from tests.backends import array

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 6)).astype("float32")
Y = RNG.normal(size=(96, 1)).astype("float32")


def model_of(*layers):
    model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model


def by_hand(model):
    """The sum over the penalised kernels in NumPy float64."""
    total = 0.0
    for layer in model.layers:
        regularizer = getattr(layer, "kernel_regularizer", None)
        if regularizer is None:
            continue
        w = keras.ops.convert_to_numpy(layer.kernel).astype("float64")
        factors = regularizer.get_config()
        total += factors.get("l1", 0) * np.abs(w).sum() + factors.get("l2", 0) * (w**2).sum()
    return total


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_equals_float64_by_hand_and_what_keras_adds(policy):
    keras.config.set_dtype_policy(policy)
    dense = keras.layers.Dense
    model = model_of(
        dense(300, kernel_regularizer=get(l2=0.3)), dense(9, kernel_regularizer=get(l1=0.1, l2=0.2))
    )
    assert penalty(model) == pytest.approx(by_hand(model), rel=1e-5)
    assert penalty(model) == pytest.approx(float(array(sum(model.losses))), rel=1e-6)


def test_loss_minus_penalty_is_the_data_loss():
    model = model_of(keras.layers.Dense(8, kernel_regularizer=get(l2=0.5)))
    data_loss = np.mean((model.predict(X, verbose=0).astype("float64") - Y) ** 2)
    assert model.evaluate(X, Y, verbose=0) - penalty(model) == pytest.approx(data_loss, rel=1e-5)


def test_frozen_layers_and_activity_penalties_do_not_count():
    model = model_of(
        keras.layers.Dense(8, kernel_regularizer="l2", name="frozen"),
        keras.layers.Dense(8, activity_regularizer="l2"),
    )
    assert penalty(model) > 0
    model.get_layer("frozen").trainable = False
    assert penalty(model) == 0.0


@pytest.mark.slow
def test_the_penalty_makes_weights_small():
    left = {}
    for l2 in (0.0, 1.0):
        model = model_of(keras.layers.Dense(8, kernel_regularizer=get(l2=l2)))
        model.fit(X, Y, epochs=30, verbose=0)
        left[l2] = float(np.square(keras.ops.convert_to_numpy(model.layers[0].kernel)).sum())
    assert left[1.0] < 0.1 * left[0.0]


def test_recipes_penalise_kernels_only():
    model = kr.recipes.mlp((6,), kr.targets.Regression(), hidden=(8, 8), l2=0.1)
    penalised = {v.path.split("/")[-1] for v in model.trainable_weights if v.regularizer}
    assert penalised == {"kernel"}
    kernels = [v for v in model.trainable_weights if v.path.endswith("kernel")]
    squares = sum(np.square(keras.ops.convert_to_numpy(k).astype("float64")).sum() for k in kernels)
    assert penalty(model) == pytest.approx(0.1 * squares, rel=1e-5)
