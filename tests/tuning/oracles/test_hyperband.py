"""Hyperband."""

from collections import Counter

import keras_tuner
import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning.oracles import Hyperband
from tests.tuning.oracles.searching import end, run


def line():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    return hp


def hyperband(**options):
    options = {"hyperparameters": line(), "max_epochs": 9, "seed": 0, **options}
    return Hyperband("val_loss", **options)


def of_round(tried, bracket, number):
    return [v for v in tried if (v["tuner/bracket"], v["tuner/round"]) == (bracket, number)]


def test_rounds_are_those_of_the_paper_as_keras_tuner_sizes_them():
    tried = run(hyperband(), lambda values: values["x"])
    sizes = Counter((v["tuner/bracket"], v["tuner/round"], v["tuner/epochs"]) for v in tried)
    assert sizes == {
        (2, 0, 1): 9,
        (2, 1, 3): 3,
        (2, 2, 9): 1,
        (1, 0, 3): 5,
        (1, 1, 9): 2,
        (0, 0, 9): 3,
    }


def test_the_best_are_promoted_and_go_on_where_they_stopped():
    tried = run(hyperband(), lambda values: values["x"])
    first, second = of_round(tried, 2, 0), of_round(tried, 2, 1)
    assert sorted(v["x"] for v in second) == sorted(v["x"] for v in first)[:3]
    for values in second:
        parent = tried[int(values["tuner/trial_id"])]
        assert parent["x"] == values["x"]
        assert values["tuner/initial_epoch"] == parent["tuner/epochs"] == 1
    assert all("tuner/trial_id" not in v and v["tuner/initial_epoch"] == 0 for v in first)


@pytest.mark.parametrize("good", [0, 1, 2, 4])
def test_failed_trials_block_no_round(good):
    """Of nine trials only some succeed: as many are promoted, and the search ends."""
    oracle = hyperband(max_consecutive_failed_trials=None)
    begun = Counter()
    while (trial := oracle.create_trial("worker")).status == "RUNNING":
        values = trial.hyperparameters.values
        place = (values["tuner/bracket"], values["tuner/round"])
        begun[place] += 1
        fails = place == (2, 0) and begun[place] > good
        end(oracle, trial, np.nan if fails else values["x"])
    assert trial.status == "STOPPED"
    assert begun[2, 1] == min(good, 3)
    assert begun[2, 2] == (good > 0)
    assert begun[0, 0] == 3


def test_waits_only_while_others_run():
    oracle = hyperband(max_epochs=3, factor=3)  # brackets 1 and 0
    trials = []
    while (trial := oracle.create_trial(f"worker {len(trials)}")).status == "RUNNING":
        trials.append(trial)
    assert trial.status == "IDLE"
    assert oracle.requeue("worker 0") == "0000"
    for each in trials[1:]:
        end(oracle, each, each.hyperparameters["x"])
    tried = run(oracle, lambda values: values["x"])
    assert tried[0] == trials[0].hyperparameters.values
    assert tried[-1]["tuner/round"] == 1
    assert oracle.create_trial("late").status == "STOPPED"


def test_max_trials_is_spent_on_brackets_that_fit():
    oracle = hyperband(max_trials=12, hyperband_iterations=None)
    tried = run(oracle, lambda values: values["x"])
    assert len(tried) == 12
    # Of 13, 7 and 3 trials, the second and third fit; then the third again; one is left at last.
    sizes = Counter((v["tuner/iteration"], v["tuner/bracket"]) for v in tried)
    assert sizes == {(0, 1): 7, (0, 0): 3, (1, 0): 2}
    assert sum(v["tuner/epochs"] == 9 for v in tried) == 7


def test_a_space_that_ends():
    hp = keras_tuner.HyperParameters()
    hp.Choice("x", [1, 2, 3, 4])
    tried = run(hyperband(hyperparameters=hp), lambda values: values["x"])
    assert sorted(v["x"] for v in of_round(tried, 2, 0)) == [1, 2, 3, 4]
    assert sorted(v["x"] for v in of_round(tried, 2, 1)) == [1, 2]
    assert [v["x"] for v in of_round(tried, 2, 2)] == [1]


def test_bad_arguments():
    with pytest.raises(InputError, match="`factor` must be an integer >= 2"):
        hyperband(factor=1)
