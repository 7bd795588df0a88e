"""From data to the recipe, and from the arguments of an estimator to a model."""

import keras
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import kerasrecipes as kr
from kerasrecipes.estimators._factory import factory_of

BINARY = kr.targets.Binary()
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("x", "name", "takes"),
    [
        (np.zeros((4, 3)), "tabular", "table"),
        ([[0.0, 1.0], [1.0, 0.0]], "tabular", "table"),
        (pd.DataFrame({"a": ["u", "v"]}), "tabular", "table"),
        (sparse.csr_array(np.eye(3)), "tabular", "table"),
        (np.zeros((4, 8, 8, 1)), "cnn", "numbers"),
        (np.zeros((4, 8, 8), "uint8"), "cnn", "numbers"),
        (np.zeros((4, 8, 2)), "temporal", "numbers"),
        (["good film", "bad film"], "text", "texts"),
        (np.array(["good film", "bad film"]), "text", "texts"),
        (pd.Series(["good film", "bad film"]), "text", "texts"),
    ],
)
def test_auto_chooses_by_the_data(x, name, takes):
    found = factory_of("auto", x, {})
    assert found.function.__name__ == name
    assert found.takes == takes


def layer_of(model):
    return next(each for each in model.layers if isinstance(each, keras.layers.Normalization))


@pytest.mark.parametrize(
    ("recipe", "shape", "axes"),
    [
        ("mlp", (50, 3), (0,)),
        ("cnn", (50, 8, 8, 2), (0, 1, 2, 3)),
        ("temporal", (50, 9, 2), (0, 1)),
        ("rnn", (50, 9), (0, 1)),
    ],
)
def test_numbers_are_scaled_with_the_statistics_of_the_rows(recipe, shape, axes):
    x = RNG.normal(3.0, 2.0, shape).astype("float32")
    layer = layer_of(factory_of(recipe, x, {}).model(x, BINARY, 0))
    found = keras.ops.convert_to_numpy(layer.mean).ravel()
    np.testing.assert_allclose(found, np.ravel(x.mean(axis=axes)), rtol=1e-5)


def test_padding_has_no_part_in_the_scale():
    x = RNG.normal(3.0, 2.0, (50, 9, 2)).astype("float32")
    known = RNG.random((50, 9)) < 0.7
    padded = np.where(known[..., None], x, -9.0).astype("float32")
    layer = layer_of(factory_of("rnn", x, {"mask_value": -9.0}).model(padded, BINARY, 0))
    found = keras.ops.convert_to_numpy(layer.mean).ravel()
    np.testing.assert_allclose(found, x[known].mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("recipe", "arguments"),
    [
        ("mlp", {"preprocessing": None}),
        ("transformer", {"vocabulary_size": 9, "units": 8, "num_heads": 2, "layers": 1}),
    ],
)
def test_tokens_and_what_the_caller_says_are_left_alone(recipe, arguments):
    x = RNG.integers(1, 9, (50, 6))
    model = factory_of(recipe, x, arguments).model(x, BINARY, 0)
    assert not any(isinstance(each, keras.layers.Normalization) for each in model.layers)


def test_models_share_no_optimizer():
    x = np.zeros((4, 3), "float32")
    optimizer = keras.optimizers.Adam(0.25)
    found = factory_of("mlp", x, {"optimizer": optimizer, "hidden": ()})
    first, second = found.model(x, BINARY, 0), found.model(x, BINARY, 0)
    assert first.optimizer is not second.optimizer
    assert not optimizer.built
    assert float(second.optimizer.learning_rate) == 0.25


def own_network(input_shape, target, *, width=4, **more):
    model = keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(width, "relu"),
            *target.output_layers(),
        ]
    )
    model.compile("adam", target.loss())
    return model


def test_a_function_of_ones_own_is_a_recipe():
    x = np.zeros((4, 3), "float32")
    found = factory_of(own_network, x, {"width": 7, "anything": 1})
    found.check("RecipeClassifier", [])
    weights = [found.model(x, BINARY, 5).get_weights() for _ in range(2)]
    assert weights[0][0].shape == (3, 7)
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        ("mlp", {"hiden": (3,)}, "`hiden` must be an argument of .*'mlp'.*Did you mean 'hidden'"),
        ("mlp", {"epoch": 3}, "Did you mean 'epochs'"),
        ("mlp", {"target": "count"}, "`target` must be an argument .* There are: hidden,"),
        ("mlp", {"input_shape": (3,)}, "`input_shape` must be an argument"),
        ("tabular", {"table": None}, "`table` must be an argument"),
    ],
)
def test_unknown_arguments_are_refused(recipe, arguments, message):
    found = factory_of(recipe, np.zeros((4, 3)), arguments)
    with pytest.raises(kr.InputError, match=message):
        found.check("RecipeClassifier", ["epochs", "batch_size"])


@pytest.mark.parametrize(
    ("recipe", "message"),
    [("mpl", "Did you mean 'mlp'"), (3, "'auto', the name of a recipe, or a recipe function")],
)
def test_other_recipes_are_refused(recipe, message):
    with pytest.raises(kr.InputError, match=message):
        factory_of(recipe, np.zeros((4, 3)), {})
