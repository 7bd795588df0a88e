import subprocess
import sys

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import InputError, layers
from kerasrecipes.exporting import encode, plain_model
from kerasrecipes.exporting._unfold import RULES
from tests.exporting.models import MODELS, close, made
from tests.harness import representative

WITHOUT_US = """
import pathlib, sys
sys.modules["kerasrecipes"] = None
import keras, numpy as np
folder = pathlib.Path(sys.argv[1])
for file in sorted(folder.glob("*.keras")):
    arrays = np.load(file.with_suffix(".npz"), allow_pickle=True)
    x = {name[2:]: arrays[name] for name in arrays if name.startswith("x_")}
    model = keras.saving.load_model(file)
    found = model.predict(x[""] if "" in x else x, verbose=0)
    np.testing.assert_allclose(found, arrays["y"], rtol=1e-6, atol=1e-6, err_msg=file.name)
    print(file.stem)
"""
KEPT = "mlp", "resnet", "temporal of padding", "transformer of tokens", "tabular realmlp"


@pytest.mark.parametrize("name", representative(MODELS, *KEPT, "rnn", "text ngrams", "fine_tune"))
def test_predictions_are_equal(name):
    model, rows, expected = made(name)
    plain = plain_model(model)
    assert type(plain).__module__.startswith("keras")
    close(plain.predict(encode(model, rows, raw=True), verbose=0), expected)
    if name.startswith(("tabular", "text")):
        encoded = encode(model, rows)
        close(plain_model(model, raw=False).predict(encoded, verbose=0), expected)


@pytest.mark.slow
def test_files_of_all_recipes_load_where_this_package_is_not(tmp_path):
    for name in MODELS:
        model, rows, expected = made(name)
        plain_model(model).save(tmp_path / f"{name}.keras")
        x = encode(model, rows, raw=True)
        x = x if isinstance(x, dict) else {"": x}
        np.savez(tmp_path / f"{name}.npz", y=expected, **{f"x_{k}": v for k, v in x.items()})
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_US, tmp_path], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert sorted(done.stdout.splitlines()) == sorted(MODELS)


def test_a_loaded_model_can_be_unfolded(tmp_path):
    model, rows, expected = made("resnet")
    model.save(tmp_path / "model.keras")
    keras.backend.clear_session()  # names of operations start anew, as in another process
    plain = plain_model(keras.saving.load_model(tmp_path / "model.keras"))
    close(plain.predict(rows, verbose=0), expected)


def test_the_copy_is_independent_and_trains():
    model, rows, expected = made("tabular auto")
    plain = plain_model(model, raw=False)
    plain.compile("sgd", "mse")
    plain.fit(encode(model, rows), np.zeros(len(rows)), verbose=0)
    close(model.predict(rows, verbose=0), expected)
    assert abs(plain.predict(encode(model, rows), verbose=0) - expected).max() > 1e-4


def test_dropout_stays_in_training():
    model = kr.recipes.mlp((4,), "binary", hidden=(8,), dropout=0.3)
    dropped = [each for each in plain_model(model).layers if type(each) is keras.layers.Dropout]
    assert [each.rate for each in dropped] == [0.3]


def test_frozen_layers_stay_frozen():
    model, _, _ = made("fine_tune")
    plain = plain_model(model)
    assert len(plain.trainable_weights) == len(model.trainable_weights)
    assert plain.count_params() == model.count_params()


def test_float16_computes_alike():
    keras.config.set_dtype_policy("mixed_float16")
    model, rows, expected = made("tabular tabm")
    found = plain_model(model, raw=False).predict(encode(model, rows), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=5e-3, atol=5e-3)


def own_layers():
    """Layers of this package that no recipe needs, on inputs of 6 numbers."""
    return {
        "RReLU": layers.RReLU(),
        "WeightNormalization": layers.WeightNormalization(keras.layers.Dense(3)),
        "WeightStandardization": layers.WeightStandardization(keras.layers.Dense(3)),
        "PeriodicEmbedding": layers.PeriodicEmbedding(append_input=False),
        "PiecewiseLinearEmbedding": layers.PiecewiseLinearEmbedding(
            4, 5, linear_skip=True, activation="relu"
        ),
        "DenseBlock": layers.DenseBlock(
            5, "rrelu", order="pre-activation", residual=True, stochastic_depth=0.1
        ),
        "sparsemax": keras.layers.Dense(4, activation=kr.activations.get("sparsemax")),
        "partial": layers.DenseBlock(4, {"name": "leaky_relu", "negative_slope": 0.4}),
    }


@pytest.mark.parametrize("name", list(own_layers()))
def test_layers_of_other_models(name, tmp_path):
    inputs = keras.Input((6,))
    model = keras.Model(inputs, own_layers()[name](inputs))
    rows = random_rows(5, 6)
    plain = plain_model(model)
    close(plain.predict(rows, verbose=0), model.predict(rows, verbose=0))
    assert "kerasrecipes" not in plain.to_json()


def random_rows(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_sequential_models():
    model = keras.Sequential([keras.Input((6,)), layers.DenseBlock(4), keras.layers.Dense(2)])
    rows = random_rows(5, 6)
    close(plain_model(model).predict(rows, verbose=0), model.predict(rows, verbose=0))


def test_every_layer_of_this_package_has_a_rule():
    kinds = [each for each in vars(layers).values() if isinstance(each, type)]
    kinds = [each for each in kinds if issubclass(each, keras.layers.Layer)]
    assert [each for each in kinds if not set(each.__mro__) & set(RULES)] == []


class Strange(keras.layers.Layer):
    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("mlp", "`model` must be a Keras model. Received: 'mlp'"),
        (keras.Sequential([keras.layers.Dense(2)]), "built functional or sequential"),
        (keras.Sequential([keras.Input((2,)), Strange(name="odd")]), "Layer 'odd' is a .*Strange"),
        (
            keras.Sequential([keras.Input((2, 2)), keras.layers.TimeDistributed(Strange())]),
            "TimeDistributed.*'Strange'",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(model, message):
    with pytest.raises(InputError, match=message):
        plain_model(model)


def test_raw_must_be_a_truth_value():
    with pytest.raises(InputError, match="`raw` must be one of True, False"):
        plain_model(made("mlp")[0], raw="yes")
