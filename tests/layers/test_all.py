"""Every public layer meets the contracts of `tests.harness`; none escapes."""

import inspect

import keras
import numpy as np
import pytest

from kerasrecipes import _export, layers
from tests.backends import BACKEND, WIDEST
from tests.harness import check_config_round_trip, check_layer

TABLE = np.random.default_rng(0).normal(size=(32, 6)).astype("float32")
MEMBERS = np.random.default_rng(0).normal(size=(32, 3, 6)).astype("float32")
SEQUENCE = np.random.default_rng(0).normal(size=(32, 7, 4)).astype("float32")
COUNTS = np.random.default_rng(0).integers(0, 4, size=(32, 3)).astype("int32")
IMAGE = np.random.default_rng(0).normal(size=(32, 6, 6, 2)).astype("float32")

SAMPLES = {
    "BlurPool": (lambda: layers.BlurPool(5), IMAGE),
    "CategoryEmbedding": (lambda: layers.CategoryEmbedding([3, 3, 2], units=[0, 4, 0]), COUNTS),
    "ChannelPReLU": (lambda: layers.ChannelPReLU(), IMAGE),
    "ConvBlock": (
        lambda: layers.ConvBlock(
            4, (3, 1), strides=2, activation="selu", dropout=0.05, residual=True, seed=0
        ),
        IMAGE,
    ),
    "DenseBlock": (
        lambda: layers.DenseBlock(
            16, "gelu", dropout=0.05, residual=True, kernel_regularizer="l2", seed=0
        ),
        TABLE,
    ),
    "EnsembleDense": (lambda: layers.EnsembleDense(8, 3, activation="relu", seed=0), TABLE),
    "EnsembleHead": (lambda: layers.EnsembleHead(2, seed=0), MEMBERS),
    "EnsembleMean": (lambda: layers.EnsembleMean(), MEMBERS),
    "FeatureScale": (lambda: layers.FeatureScale(), TABLE),
    "FusedBatchNormalization": (lambda: layers.FusedBatchNormalization(), IMAGE),
    "MaskedBatchNormalization": (
        lambda: layers.MaskedBatchNormalization(synchronized=BACKEND == "tensorflow"),
        SEQUENCE,
    ),
    "HashDropout": (lambda: layers.HashDropout(0.05, seed=0), TABLE),
    "MissingIndicator": (lambda: layers.MissingIndicator([0, 4]), TABLE),
    "NTKDense": (lambda: layers.NTKDense(8, seed=0), TABLE),
    "ParametricActivation": (lambda: layers.ParametricActivation("selu"), TABLE),
    "PeriodicEmbedding": (lambda: layers.PeriodicEmbedding(seed=0), TABLE),
    "PiecewiseLinearEmbedding": (
        lambda: layers.PiecewiseLinearEmbedding(4, 8, activation="relu", seed=0),
        TABLE,
    ),
    "PositionEncoding": (lambda: layers.PositionEncoding(), SEQUENCE),
    "PredictionClip": (lambda: layers.PredictionClip(-3.0, 3.0), TABLE),
    "RReLU": (lambda: layers.RReLU(0.1, 0.2, seed=0), TABLE),
    "RobustScale": (lambda: layers.RobustScale([0.5] * 6, [2.0] * 6), TABLE),
    "ScheduledDropout": (lambda: layers.ScheduledDropout(0.05, schedule=None, seed=0), TABLE),
    "SqueezeExcite": (lambda: layers.SqueezeExcite(2, minimum=1, seed=0), SEQUENCE),
    "StochasticDepth": (lambda: layers.StochasticDepth(0.1, seed=0), TABLE),
    "WeightNormalization": (
        lambda: layers.WeightNormalization(keras.layers.Conv1D(4, 3, padding="same")),
        SEQUENCE,
    ),
    "WeightStandardization": (
        lambda: layers.WeightStandardization(keras.layers.Conv2D(4, 3, strides=2)),
        IMAGE,
    ),
}


NOTHING_TO_LEARN_FROM = {"EnsembleMean", "MissingIndicator"}


def test_every_public_layer_has_a_sample():
    classes = {name for name, thing in _export.members("layers").items() if inspect.isclass(thing)}
    assert classes == set(SAMPLES)


def test_package_shows_every_member():
    for name, thing in _export.members("layers").items():
        assert getattr(layers, name) is thing


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_contract(name, tmp_path):
    make, x = SAMPLES[name]
    check_layer(make(), x, tmp_path, learns=name not in NOTHING_TO_LEARN_FROM)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_dtype_and_static_shape(name):
    make, x = SAMPLES[name]
    layer = type(make()).from_config({**make().get_config(), "dtype": WIDEST})
    free = x.ndim > 2 and name not in ("EnsembleHead", "EnsembleMean")
    shape = (None,) * (x.ndim - 2) + x.shape[-1:] if free else x.shape[1:]
    inputs = keras.Input(shape, dtype=WIDEST)
    model = keras.Model(inputs, layer(inputs))
    assert make().compute_output_shape((None, *shape)) == model.output_shape
    y = layer(x.astype(WIDEST))
    assert keras.backend.standardize_dtype(y.dtype) == WIDEST
    assert {w.dtype for w in layer.weights if "int" not in w.dtype} <= {WIDEST}
    assert check_config_round_trip(layer).dtype_policy.name == WIDEST
    assert all(n in (None, m) for n, m in zip(model.output_shape, y.shape, strict=True))
