"""Penalising the kernels of a model, and nothing else."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.regularizers import apply, get, penalty
from tests.replicas import run_on_replicas

L = keras.layers
X = np.random.default_rng(0).normal(size=(32, 8, 3)).astype("float32")
NEVER = {"bias", "gamma", "beta", "alpha", "embeddings", "moving_mean", "moving_variance"}


def every_layer():
    return keras.Sequential(
        [
            keras.Input((8, 3)),
            L.Conv1D(4, 3, padding="same"),
            L.BatchNormalization(),
            L.PReLU(),
            L.SeparableConv1D(4, 3),
            L.DepthwiseConv1D(2),
            L.LayerNormalization(),
            L.Bidirectional(L.LSTM(3, return_sequences=True)),
            L.GRU(3, return_sequences=True),
            L.TimeDistributed(L.Dense(4)),
            L.EinsumDense("abc,cd->abd", output_shape=(5, 3), bias_axes="d"),
            L.SpectralNormalization(L.Dense(4)),
            L.Flatten(),
            kr.layers.DenseBlock(4, residual=True),
            kr.layers.WeightNormalization(L.Dense(3)),
            L.Dense(1),
        ]
    )


def penalised(model):
    return {v.path for v in model.weights if v.regularizer is not None}


def test_every_kernel_and_nothing_else_is_penalised():
    model = every_layer()
    kernels = apply(model, {"name": "l2", "l2": 0.1})
    assert {v.path for v in kernels} == penalised(model)
    for v in model.weights:
        assert ("kernel" in v.name) == (v.path in penalised(model)), v.path
        assert v.name in NEVER or "kernel" in v.name or "seed" in v.path or v.regularizer is None
    squares = sum(np.square(keras.ops.convert_to_numpy(v).astype("float64")).sum() for v in kernels)
    assert penalty(model) == pytest.approx(0.1 * squares, rel=1e-5)


def test_the_penalty_is_saved(tmp_path):
    model = every_layer()
    apply(model, {"name": "l1_l2", "l1": 0.2, "l2": 0.1})
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert len(penalised(loaded)) == len(penalised(model))
    assert penalty(loaded) == pytest.approx(penalty(model), rel=1e-6)


def test_it_replaces_and_removes():
    model = keras.Sequential([keras.Input((3,)), L.Dense(2, kernel_regularizer="l1")])
    before = penalty(model)
    apply(model, get(l2=0.5))
    kernel = keras.ops.convert_to_numpy(model.layers[0].kernel).astype("float64")
    assert penalty(model) == pytest.approx(0.5 * np.square(kernel).sum(), rel=1e-6)
    assert penalty(model) != before
    apply(model, None)
    assert penalty(model) == 0.0
    assert penalised(model) == set()


def test_it_counts_in_a_model_that_was_trained_before():
    model = keras.Sequential([keras.Input((8, 3)), L.Flatten(), L.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    y = np.zeros((32, 1))
    model.fit(X, y, verbose=0)
    before = model.evaluate(X, y, verbose=0)
    apply(model, "l2")
    assert penalty(model) > 1e-3
    assert model.evaluate(X, y, verbose=0) == pytest.approx(before + penalty(model), rel=1e-5)
    loss = model.fit(X, y, verbose=0).history["loss"][0]
    assert loss == pytest.approx(before + penalty(model), rel=1e-5)


def test_one_kernel_in_two_places_counts_once():
    shared = L.Dense(3)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, shared(shared(inputs)))
    assert len(apply(model, "l2")) == 1


def test_recipes():
    model = kr.recipes.mlp((6,), kr.targets.Multiclass(3), hidden=(8, 8))
    paths = [v.path for v in apply(model, get(l2=1.0, examples=100))]
    assert paths == ["hidden_1/linear/kernel", "hidden_2/linear/kernel", "head/kernel"]


def attention():
    inputs = keras.Input((8, 3))
    return keras.Model(inputs, L.MultiHeadAttention(2, 4, name="mha")(inputs, inputs))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (attention, "`model` holds the MultiHeadAttention 'mha'"),
        (lambda: L.Dense(3, name="d"), "`model` must be built.*'d', built=False"),
        (lambda: keras.Sequential([keras.Input((3,)), L.ReLU()]), "`model` must be built"),
        (lambda: 7, "`model` must be a Keras model"),
    ],
)
def test_errors(make, message):
    with pytest.raises(kr.InputError, match=message):
        apply(make(), "l2")


def test_an_error_changes_nothing():
    model = attention()
    with pytest.raises(kr.InputError):
        apply(model, "l2")
    assert penalised(model) == set()


@pytest.mark.multi_device
def test_replicas_add_the_penalty_once():
    code = """
    import contextlib
    x = np.random.default_rng(0).normal(size=(64, 12)).astype("float32")
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = keras.Sequential([keras.Input((12,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.0), "mse")
    data_loss = model.evaluate(x, x[:, :1], verbose=0)
    kr.regularizers.apply(model, kr.regularizers.get(l2=0.5))
    report(
        data_loss=data_loss,
        penalty=kr.regularizers.penalty(model),
        evaluated=model.evaluate(x, x[:, :1], verbose=0),
        fitted=model.fit(x, x[:, :1], verbose=0).history["loss"][0],
    )
    """
    found = run_on_replicas(code, replicas=2)
    assert found["penalty"] > 0.1
    expected = found["data_loss"] + found["penalty"]
    assert found["evaluated"] == pytest.approx(expected, rel=1e-5)
    assert found["fitted"] == pytest.approx(expected, rel=1e-5)
