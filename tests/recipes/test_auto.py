"""Which recipe is taken for which data."""

import numpy as np
import pandas as pd
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.recipes import auto

RNG = np.random.default_rng(0)
TEXTS = ["a good film", "a bad film", "good", "bad"]
KINDS = {
    "frame": (pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["u", "v", "u"]}), "tabular"),
    "columns": ({"a": np.array([1.0, 2.0, 3.0])}, "tabular"),
    "matrix": (RNG.normal(size=(20, 3)), "tabular"),
    "texts": (TEXTS, "text"),
    "column of texts": (pd.Series(TEXTS), "text"),
    "grey images": (RNG.integers(0, 255, (20, 8, 8)).astype("uint8"), "cnn"),
    "images": (RNG.normal(size=(20, 8, 8, 3)), "cnn"),
    "series": (RNG.normal(size=(20, 30, 2)), "temporal"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_data_decides(kind):
    data, name = KINDS[kind]
    model = auto(data, "binary", seed=0)
    assert model.recipe.name == name
    assert auto(data, "binary", small=True).count_params() < model.count_params() or name == "text"
    assert np.isfinite(model.predict(data, verbose=0)).all()


def test_arguments_are_passed_on():
    first, second = (auto(TEXTS, "binary", seed=1, name="mine") for _ in range(2))
    assert first.name == "mine"
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    target = kr.targets.Multiclass(4)
    assert auto(TEXTS, target).output_shape == (None, 4)


@pytest.mark.parametrize("data", [np.zeros(5), np.zeros((2, 2, 2, 2, 2)), np.array([["a"], ["b"]])])
def test_bad_input(data):
    with pytest.raises(InputError, match="`data` must be a table, texts, images or series"):
        auto(data, "binary")
