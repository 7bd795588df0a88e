"""Evolution."""

import keras_tuner
import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning.oracles import Evolution, RandomSearch
from kerasrecipes.tuning.oracles.evolution import reflected
from tests.tuning.oracles.searching import end, network, run, small


def best(cls, seed, **options):
    oracle = cls("val_loss", max_trials=40, hyperparameters=network(), seed=seed, **options)
    run(oracle)
    return oracle.get_best_trials()[0].score


def test_better_than_random_on_average():
    evolved = [best(Evolution, seed) for seed in range(12)]
    random = [best(RandomSearch, seed) for seed in range(12)]
    assert np.mean(evolved) < np.mean(random) / 2
    assert np.median(evolved) < 0.03


def test_a_child_differs_from_a_living_parent_in_one_place():
    oracle = Evolution(
        "val_loss", max_trials=30, hyperparameters=network(), seed=0, population=5, tournament=2
    )
    tried = run(oracle)
    for number in range(5, 30):
        alive = tried[number - 5 : number]
        changes = [sum(tried[number][k] != v for k, v in parent.items()) for parent in alive]
        assert 1 in changes


def test_conditions_are_respected():
    hp = small()
    hp.Float("x", 0.0, 1.0)
    oracle = Evolution("val_loss", max_trials=60, hyperparameters=hp, seed=0, population=4)
    for values in run(oracle, lambda values: values["x"]):
        assert ("layers" in values) == (values["kind"] == "deep") == ("bias" not in values)


def test_failed_trials_have_no_children():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    hp.Choice("kind", ["works", "fails"])
    oracle = Evolution("val_loss", max_trials=60, hyperparameters=hp, seed=0, population=6)
    late = 0
    for number in range(60):
        trial = oracle.create_trial("worker")
        fails = trial.hyperparameters["kind"] == "fails"
        late += fails and number >= 30
        end(oracle, trial, np.nan if fails else trial.hyperparameters["x"])
    assert late <= 20  # only where a child of one that works takes the other kind


def test_the_mirror():
    assert [reflected(x) for x in (-0.25, 0.25, 1.25, 2.25)] == [0.25, 0.25, 0.75, 0.25]


def test_bad_arguments():
    with pytest.raises(InputError, match="`tournament` must be an integer from 1 to population=3"):
        Evolution("val_loss", population=3, tournament=4)
