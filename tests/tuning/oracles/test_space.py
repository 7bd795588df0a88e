"""The values of hyperparameters and their places in [0, 1]."""

import keras_tuner
import numpy as np
import pytest

from kerasrecipes.tuning.oracles import _space
from tests.tuning.oracles.searching import network, small


def every_kind():
    hp = keras_tuner.HyperParameters()
    hp.Float("float", 0.0, 0.5)
    hp.Float("log", 1e-5, 1.0, sampling="log")
    hp.Float("reverse", 0.9, 0.999, sampling="reverse_log")
    hp.Float("stepped", 0.0, 0.4, step=0.1)
    hp.Float("decades", 1e-4, 1.0, step=10, sampling="log")
    hp.Int("int", 3, 11, step=2)
    hp.Int("units", 16, 256, sampling="log")
    hp.Int("doubled", 16, 256, sampling="log", step=2)
    hp.Choice("word", ["a", "b", "c"])
    hp.Choice("number", [32, 64, 128])
    hp.Boolean("flag")
    hp.Fixed("fixed", "adam")
    return hp


@pytest.mark.parametrize("hp", every_kind().space, ids=lambda hp: hp.name)
def test_there_and_back(hp):
    for place in np.linspace(0, 1, 41):
        value = _space.from_unit(hp, place)
        again = _space.from_unit(hp, _space.to_unit(hp, value))
        assert again == pytest.approx(value) if isinstance(value, float) else again == value
        assert _space.contains(hp, value)


@pytest.mark.parametrize("hp", every_kind().space, ids=lambda hp: hp.name)
def test_all_values_are_reached(hp):
    found = _space.choices(hp)
    reached = {_space.from_unit(hp, place) for place in np.linspace(0, 1, 20001)}
    if found is None:
        assert min(reached) == pytest.approx(hp.min_value)
        assert max(reached) == pytest.approx(hp.max_value)
        assert all(hp.min_value <= value <= hp.max_value for value in reached)
    else:
        assert reached == set(found)


def test_whole_numbers_are_whole():
    named = {hp.name: list(_space.choices(hp)) for hp in every_kind().space if "u" in hp.name}
    assert named["doubled"] == [16, 32, 64, 128, 256]
    assert all(type(value) is int for value in named["doubled"])
    assert named["units"] == list(range(16, 257))


def test_combinations_and_count():
    space = small().space
    assert len(list(_space.combinations(space, _space.choices))) == 5
    assert _space.count(space, _space.choices, 100) == 5
    assert _space.count(space, _space.choices, 4) == 4


def test_categories_are_equally_far_apart():
    space = network().space
    values = {"learning_rate": 1e-3, "units": 64, "optimizer": "adam"}
    relu, selu, tanh = (
        _space.encode(space, {**values, "activation": name}) for name in ("relu", "selu", "tanh")
    )
    assert [np.linalg.norm(a - b) for a, b in ((relu, selu), (selu, tanh), (relu, tanh))] == (
        pytest.approx([1.0] * 3)
    )


def test_the_marks_of_keras_tuner_do_not_count():
    assert _space.key({"a": 1, "tuner/epochs": 3}) == _space.key({"a": 1})
