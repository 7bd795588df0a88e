"""That no regularizer, and no layer that takes one, escapes."""

import keras
import pytest

import kerasrecipes as kr
from kerasrecipes._export import members

ON_MODELS = {"apply": "test_apply.py", "penalty": "test_penalty.py"}
STOCK = {"L1": {"l1": 1.0}, "L2": {"l2": 1.0}, "L1L2": {"l1": 1.0}, "OrthogonalRegularizer": {}}


def test_none_escapes():
    assert members("regularizers").keys() == ON_MODELS.keys()


def test_every_regularizer_of_keras_has_a_name():
    kinds = {
        thing
        for thing in vars(keras.regularizers).values()
        if isinstance(thing, type) and issubclass(thing, keras.regularizers.Regularizer)
    }
    assert {kind.__name__ for kind in kinds} - {"Regularizer"} == STOCK.keys()


@pytest.mark.parametrize("name", STOCK)
def test_stock_ones_by_name(name):
    found = kr.regularizers.get({"name": name, **STOCK[name]})
    assert type(found) is getattr(keras.regularizers, name)
