"""BayesianOptimization."""

import keras_tuner
import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning.oracles import BayesianOptimization, RandomSearch
from tests.tuning.oracles.searching import BEST, end, loss, network, run, small


def best(cls, seed, **options):
    oracle = cls("val_loss", max_trials=25, hyperparameters=network(), seed=seed, **options)
    run(oracle)
    return oracle.get_best_trials()[0]


@pytest.mark.slow
def test_better_than_random_on_average_and_close_to_the_optimum():
    modelled = [best(BayesianOptimization, seed) for seed in range(4)]
    random = [best(RandomSearch, seed).score for seed in range(4)]
    assert np.mean([trial.score for trial in modelled]) < np.mean(random) / 3
    rates = [trial.hyperparameters["learning_rate"] for trial in modelled]
    assert np.median(np.abs(np.log10(np.array(rates) / BEST["learning_rate"]))) < 0.2


def test_max_direction():
    oracle = BayesianOptimization("val_accuracy", max_trials=20, hyperparameters=network(), seed=0)
    run(oracle, lambda values: -loss(values))
    assert oracle.get_best_trials()[0].score > -0.1


def test_exhausts_a_finite_space_without_repeats():
    oracle = BayesianOptimization("val_loss", hyperparameters=small(), num_initial_points=2, seed=0)
    tried = run(oracle, lambda values: values.get("layers", 9))
    assert len({tuple(values.items()) for values in tried}) == len(tried) == 5


def test_failed_trials_do_not_bend_the_model():
    """High rates fail; the search stays away from them and finds the optimum all the same."""
    oracle = BayesianOptimization("val_loss", max_trials=25, hyperparameters=network(), seed=0)
    high = 0
    for number in range(25):
        trial = oracle.create_trial("worker")
        fails = trial.hyperparameters["learning_rate"] > 0.1
        high += fails and number >= 10
        end(oracle, trial, np.inf if fails else loss(trial.hyperparameters))
    assert high <= 3  # taken for good ones, they would be all fifteen
    assert oracle.get_best_trials()[0].score < 0.1


def test_workers_get_different_points():
    oracle = BayesianOptimization("val_loss", hyperparameters=network(), seed=0)
    run(oracle, most=8)
    running = [oracle.create_trial(f"worker {i}").hyperparameters.values for i in range(4)]
    assert len({tuple(values.items()) for values in running}) == 4


def test_only_one_value():
    hp = keras_tuner.HyperParameters()
    hp.Fixed("rate", 0.1)
    oracle = BayesianOptimization("val_loss", hyperparameters=hp, seed=0)
    assert run(oracle, lambda values: 0.0) == [{"rate": 0.1}]


@pytest.mark.parametrize("bad", [{"alpha": 0.0}, {"beta": -1.0}, {"num_initial_points": 0}])
def test_bad_arguments(bad):
    with pytest.raises(InputError, match=f"`{next(iter(bad))}` must be"):
        BayesianOptimization("val_loss", **bad)
