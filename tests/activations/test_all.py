"""What every activation must do, so that none escapes."""

import inspect

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._export import members
from tests.harness import check_config_round_trip

CASES = {"Partial": kr.activations.Partial("elu", alpha=0.5), "rrelu": kr.activations.rrelu}
CASES["sparsemax"] = kr.activations.sparsemax
KERAS = [
    name
    for name, thing in vars(keras.activations).items()
    if inspect.isfunction(thing) and name not in {"deserialize", "get", "serialize"}
]


def test_none_escapes():
    assert members("activations").keys() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_it_is_saved_by_its_registered_name(name):
    thing = members("activations")[name]
    assert keras.saving.get_registered_object(f"kerasrecipes.activations>{name}") is thing
    if name == "Partial":
        check_config_round_trip(CASES[name])
    again = kr.activations.get(keras.saving.serialize_keras_object(CASES[name]))
    x = np.linspace(-2, 2, 9).astype("float32")
    np.testing.assert_array_equal(again(x), CASES[name](x))


@pytest.mark.parametrize("identifier", [*KERAS, *CASES.values(), "prelu"])
def test_it_is_known_and_gets_an_initializer(identifier):
    found = kr.activations.facts(identifier)
    assert found.initializer in {"he", "lecun", "glorot"}
    assert 0 < found.gain <= 2
    kernel = kr.initializers.get("auto", activation=identifier, seed=0)((64, 64))
    variance = keras.ops.convert_to_numpy(kernel).var()
    assert variance == pytest.approx(found.gain / 64, rel=0.1)
