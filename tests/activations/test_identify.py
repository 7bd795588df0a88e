"""From names, dicts, functions and layers to activations."""

import inspect

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.activations import Partial, get

KERAS = [
    name
    for name, thing in vars(keras.activations).items()
    if inspect.isfunction(thing) and name not in {"deserialize", "get", "serialize"}
]


@keras.saving.register_keras_serializable("mine")
def twice(x):
    return 2 * x


@pytest.mark.parametrize("name", KERAS)
def test_names_mean_what_they_mean_in_keras(name):
    ours = {"sparsemax": kr.activations.sparsemax}
    assert get(name) is ours.get(name, keras.activations.get(name))


def test_case_and_underscores_do_not_count():
    assert get("LeakyReLU") is get("leakyrelu") is keras.activations.leaky_relu


def test_functions_layers_and_none_are_as_in_keras():
    layer = keras.layers.PReLU()
    assert get(layer) is layer
    assert get(np.tanh) is np.tanh
    assert get(None) is keras.activations.linear


@pytest.mark.parametrize("thing", ["relu", twice, keras.layers.LeakyReLU(negative_slope=0.5)])
def test_keras_configs(thing):
    thing = keras.activations.get(thing)
    again = get(keras.saving.serialize_keras_object(thing))
    x = np.array([-2.0, 3.0], "float32")
    np.testing.assert_array_equal(again(x), thing(x))


def test_registered_functions_have_names():
    assert get("mine>twice") is twice


def test_dicts_fix_arguments():
    assert get({"name": "relu"}) is keras.activations.relu
    f = get({"name": "elu", "alpha": 0.5})
    assert isinstance(f, Partial)
    np.testing.assert_allclose(f(np.array([-1.0])), 0.5 * (np.exp([-1.0]) - 1), rtol=1e-6)


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("sigmod", "Did you mean 'sigmoid'"),
        ("zzz", "There are: celu, elu"),
        ("prelu", "ChannelPReLU"),
        ({"name": "elu", "beta": 1}, r"`activation` does not fit elu\(x.*beta"),
        ({"name": "threshold", "threshold": 1}, "default_value"),
        ({"nam": "elu"}, "a dict with a 'name'"),
        ({"class_name": "Nothing", "config": {}}, "Keras says"),
        (7, "`activation` must be a name"),
    ],
)
def test_errors(identifier, message):
    with pytest.raises(kr.InputError, match=message):
        get(identifier)
