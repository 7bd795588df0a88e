"""The table of activations."""

import functools
import inspect

import keras
import numpy as np
import pytest
from scipy import integrate, stats

import kerasrecipes as kr
from kerasrecipes.activations import Facts, Partial, facts
from kerasrecipes.activations.facts import _TABLE
from tests.backends import WIDEST, array

KERAS = sorted(
    name
    for name, thing in vars(keras.activations).items()
    if inspect.isfunction(thing) and name not in {"deserialize", "get", "serialize"}
)
HE = "relu relu6 leaky_relu prelu rrelu gelu silu swish hard_silu mish threshold".split()
GLOROT = "linear tanh sigmoid softmax softplus softsign hard_sigmoid log_softmax".split()


@pytest.mark.parametrize("name", KERAS)
def test_every_keras_activation_is_in_the_table_as_name_and_function(name):
    assert facts(name) in _TABLE.values()  # the fallback would hide a gap
    assert facts(name) == facts(getattr(keras.activations, name))


@pytest.mark.parametrize("name", HE)
def test_relu_and_its_kind_want_he(name):
    assert facts(name).initializer == "he"


@pytest.mark.parametrize("name", ["selu", "elu", "celu"])
def test_self_normalising_ones_want_lecun(name):
    assert facts(name).initializer == "lecun"
    assert facts(name).gain == 1.0


@pytest.mark.parametrize("name", GLOROT)
def test_bounded_ones_want_glorot(name):
    assert facts(name).initializer == "glorot"
    assert facts(name).gain == 1.0


def test_only_selu_wants_alpha_dropout():
    assert {name for name in KERAS if facts(name).alpha_dropout} == {"selu"}


def passed_on(function):
    """The mean square of f(z), z ~ N(0, 1)."""
    z = np.linspace(-9, 9, 20_001)
    value = array(function(keras.ops.convert_to_tensor(z, WIDEST)))
    return integrate.simpson(value**2 * stats.norm.pdf(z), x=z)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("relu", 1.0),
        ("leaky_relu", 1.0),
        ({"name": "leaky_relu", "negative_slope": 0.7}, 1.0),
        ("selu", 1.0),
        ("linear", 1.0),
        ("relu6", 1.0),
        ("mish", 0.90),
        ("gelu", 0.85),
        ("silu", 0.71),
        ("softplus", 0.92),
    ],
)
def test_the_gain_makes_up_for_what_the_activation_takes(activation, expected):
    keeps = facts(activation).gain * passed_on(kr.activations.get(activation))
    assert keeps == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.2, 1.0])
def test_slopes_of_functions_and_layers_count(slope):
    gain = 2 / (1 + slope**2)
    leaky = keras.activations.leaky_relu
    for identifier in (
        keras.layers.LeakyReLU(negative_slope=slope),
        keras.layers.ReLU(negative_slope=slope),
        keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(slope)),
        Partial("leaky_relu", negative_slope=slope),
        Partial("relu", negative_slope=slope),
        functools.partial(leaky, negative_slope=slope),
        {"name": "leaky_relu", "negative_slope": slope},
        keras.saving.serialize_keras_object(keras.layers.LeakyReLU(negative_slope=slope)),
        keras.layers.Activation(Partial("leaky_relu", negative_slope=slope)),
    ):
        assert facts(identifier).initializer == "he"
        assert facts(identifier).gain == pytest.approx(gain)


def test_default_slopes():
    assert facts(keras.layers.LeakyReLU()).slope == pytest.approx(0.3)
    assert facts("leaky_relu").slope == 0.2
    assert facts(keras.layers.PReLU()).slope == 0.0
    assert facts("prelu").slope == 0.25
    assert facts(kr.layers.ChannelPReLU()).slope == 0.25


def test_default_slope_of_leaky_relu_is_the_one_of_keras():
    y = keras.ops.convert_to_numpy(keras.activations.leaky_relu(np.array([-1.0], "float32")))
    assert -y[0] == pytest.approx(facts("leaky_relu").slope)


def test_random_slopes_count_by_their_mean_square():
    slopes = np.random.default_rng(0).uniform(0.1, 0.9, 1_000_000)
    expected = np.sqrt(np.mean(slopes**2))
    assert facts(kr.layers.RReLU(0.1, 0.9)).slope == pytest.approx(expected, rel=1e-3)
    assert facts(Partial("rrelu", lower=0.1, upper=0.9)).slope == pytest.approx(expected, rel=1e-3)
    assert facts("rrelu") == facts(kr.layers.RReLU()) == facts(kr.activations.rrelu)


def test_layers_count_as_what_they_compute():
    for layer in (keras.layers.ELU(), keras.layers.Softmax(), keras.layers.ReLU()):
        assert facts(layer) == facts(type(layer).__name__)
    for activation in ("selu", "gelu"):
        assert facts(keras.layers.Activation(activation)) == facts(activation)
        assert facts(kr.layers.ParametricActivation(activation)) == facts(activation)


def test_ops_and_none_and_dicts():
    assert facts(keras.ops.gelu) == facts("gelu")
    assert facts(None) == facts("linear")
    assert facts({"name": "prelu"}) == facts("prelu")
    assert facts("LeakyReLU") == facts("leaky_relu")


def test_what_is_not_in_the_table_gets_what_keras_gives():
    def mine(x):
        return x

    assert facts(mine) == Facts("mine", "glorot")
    assert facts(keras.layers.Rescaling(2.0)).initializer == "glorot"


def test_unknown_names_are_errors():
    with pytest.raises(kr.InputError, match="`activation`.*'rellu'.*Did you mean 'relu'"):
        facts("rellu")


def test_facts_cannot_be_changed():
    with pytest.raises(AttributeError):
        facts("relu").slope = 1.0
