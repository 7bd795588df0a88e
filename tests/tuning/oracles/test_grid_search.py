"""GridSearch."""

import keras_tuner
import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning.oracles import GridSearch
from tests.tuning.oracles.searching import network, run, small


def test_continuous_values_on_their_scale():
    hp = keras_tuner.HyperParameters()
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    hp.Float("dropout", 0.0, 0.5)
    tried = run(GridSearch("val_loss", hyperparameters=hp, points=3), lambda values: 0.0)
    assert [v["rate"] for v in tried[::3]] == pytest.approx([1e-4, 1e-2, 1.0])
    assert [v["dropout"] for v in tried[:3]] == pytest.approx([0.0, 0.25, 0.5])
    assert len(tried) == 9


def test_whole_numbers_keep_both_ends_and_their_type():
    hp = keras_tuner.HyperParameters()
    hp.Int("units", 16, 256, sampling="log", step=2)
    hp.Int("layers", 1, 100)
    oracle = GridSearch("val_loss", hyperparameters=hp, points=5)
    units, layers = (list(oracle.grid(each)) for each in hp.space)
    assert units == [16, 32, 64, 128, 256]
    assert layers == [1, 25, 50, 75, 100]
    assert all(type(each) is int for each in (*units, *layers))


def test_conditions():
    tried = run(GridSearch("val_loss", hyperparameters=small()), lambda values: 0.0)
    assert tried == [
        {"kind": "plain", "bias": False},
        {"kind": "plain", "bias": True},
        *({"kind": "deep", "layers": n} for n in (2, 3, 4)),
    ]


def test_a_grid_that_does_not_fit_is_sampled():
    oracle = GridSearch("val_loss", max_trials=12, hyperparameters=network(), points=4, seed=0)
    tried = run(oracle)
    assert len({tuple(values.items()) for values in tried}) == 12
    assert {values["activation"] for values in tried} == {"relu", "selu", "tanh"}
    assert len({values["learning_rate"] for values in tried}) == 4


def test_bad_arguments():
    with pytest.raises(InputError, match="`points` must be an integer >= 2"):
        GridSearch("val_loss", points=1)
