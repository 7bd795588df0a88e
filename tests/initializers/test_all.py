"""What every initializer must do, so that none escapes."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._export import members
from tests.harness import check_config_round_trip, check_learns, check_save_round_trip

make = kr.initializers
CASES = {
    "PriorBias": lambda seed: make.PriorBias(0.5, "sigmoid"),
    "for_activation": lambda seed: make.for_activation("leaky_relu", seed=seed),
    "glorot": lambda seed: make.glorot(seed=seed),
    "he": lambda seed: make.he("uniform", slope=0.1, seed=seed),
    "lecun": lambda seed: make.lecun("untruncated_normal", seed=seed),
    "output": lambda seed: make.output(seed=seed),
    "pytorch": lambda seed: make.pytorch(seed=seed),
    "pytorch_bias": lambda seed: make.pytorch_bias(9, seed=seed),
}
ON_MODELS = {
    "GateOrthogonal": "test_gate_orthogonal.py",
    "lsuv": "test_lsuv.py",
    "redraw": "test_redraw.py",
}
X = np.random.default_rng(0).normal(size=(32, 5)).astype("float32")


def test_none_escapes():
    assert members("initializers").keys() == CASES.keys() | ON_MODELS.keys()


@pytest.mark.parametrize("name", CASES)
def test_config_seed_and_dtype(name):
    clone = check_config_round_trip(CASES[name](3))
    shape = (4,) if "bias" in name.lower() else (4, 6)
    first, again, other = (
        keras.ops.convert_to_numpy(initializer(shape))
        for initializer in (CASES[name](3), clone, CASES[name](4))
    )
    np.testing.assert_array_equal(first, again)
    assert name == "PriorBias" or np.abs(first - other).max() > 1e-3
    for dtype in ("float16", "bfloat16", "float32"):
        values = clone(shape, dtype=dtype)
        assert tuple(values.shape) == shape
        assert keras.backend.standardize_dtype(values.dtype) == dtype


@pytest.mark.parametrize("name", CASES)
def test_a_plain_keras_layer_takes_it_saves_it_and_learns(name, tmp_path):
    weight = "bias" if "bias" in name.lower() else "kernel"
    layer = keras.layers.Dense(4, **{f"{weight}_initializer": CASES[name](3)})
    inputs = keras.Input((5,))
    check_save_round_trip(keras.Model(inputs, layer(inputs)), X, tmp_path)
    check_learns(layer, X, steps=20)


@pytest.mark.parametrize("name", CASES)
def test_mixed_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    weight = "bias" if "bias" in name.lower() else "kernel"
    layer = keras.layers.Dense(4, **{f"{weight}_initializer": CASES[name](3)})
    y = layer(keras.ops.convert_to_tensor(X))
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert layer.kernel.dtype == layer.bias.dtype == "float32"
    assert np.isfinite(keras.ops.convert_to_numpy(keras.ops.cast(y, "float32"))).all()
