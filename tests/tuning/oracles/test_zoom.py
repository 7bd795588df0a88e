"""Zoom."""

import keras_tuner
import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning.oracles import RandomSearch, Zoom
from tests.tuning.oracles.searching import network, run, small


def best(cls, seed):
    oracle = cls("val_loss", max_trials=30, hyperparameters=network(), seed=seed)
    run(oracle)
    return oracle.get_best_trials()[0].score


def test_better_than_random_on_average():
    zoomed = [best(Zoom, seed) for seed in range(12)]
    random = [best(RandomSearch, seed) for seed in range(12)]
    assert np.mean(zoomed) < np.mean(random) / 2
    assert np.median(zoomed) < 0.03


@pytest.mark.parametrize("optimum", [1e-5, 2e-3, 1.0])
def test_rounds_narrow_around_the_best_and_stay_in_the_range(optimum):
    hp = keras_tuner.HyperParameters()
    hp.Float("rate", 1e-5, 1.0, sampling="log")
    oracle = Zoom("val_loss", max_trials=40, hyperparameters=hp, seed=0, rounds=4, factor=3.0)
    tried = run(oracle, lambda values: abs(np.log(values["rate"] / optimum)))
    logs = np.log10([values["rate"] for values in tried])
    assert np.all(logs >= -5 - 1e-9)
    assert np.all(logs <= 1e-9)
    for number in range(4):
        rows = logs[10 * number : 10 * number + 10]
        assert np.ptp(rows) <= 2 * 5 / 3**number  # the best may move within a round
    assert np.min(np.abs(logs - np.log10(optimum))) < 0.05


def test_categories_narrow_too():
    tried = run(Zoom("val_loss", max_trials=48, hyperparameters=network(), seed=0))
    first, last = tried[:12], tried[-12:]
    assert {values["activation"] for values in first} == {"relu", "selu", "tanh"}
    assert {values["activation"] for values in last} == {"relu", "selu"}


def test_conditions_and_exhaustion():
    oracle = Zoom("val_loss", hyperparameters=small(), seed=0, round_trials=2)
    tried = run(oracle, lambda values: values.get("layers", 9))
    assert len({tuple(values.items()) for values in tried}) == len(tried) == 5


def test_goes_on_in_the_last_round_without_a_limit():
    oracle = Zoom("val_loss", hyperparameters=network(), seed=0, rounds=2, round_trials=5)
    assert len(run(oracle, most=30)) == 30


@pytest.mark.parametrize("bad", [{"factor": 1.0}, {"rounds": 0}, {"round_trials": 0}])
def test_bad_arguments(bad):
    with pytest.raises(InputError, match=f"`{next(iter(bad))}` must be"):
        Zoom("val_loss", **bad)
