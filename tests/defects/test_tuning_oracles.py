"""T3, T6, T9 and T10 of KerasTuner, and its seed 0: what its oracles do, and what ours do."""

import json

import keras_tuner
import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning import oracles

# KerasTuner 1.4.8 calls `threading.currentThread`, and takes the minimum of nothing but NaN.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

THEIRS, OURS = keras_tuner.oracles.RandomSearchOracle, oracles.RandomSearch


def space(high=0.1):
    hp = keras_tuner.HyperParameters()
    hp.Float("learning_rate", 1e-4, high, sampling="log")
    return hp


def open_project(oracle, folder):
    oracle._set_project_dir(str(folder), "project")
    if (folder / "project").exists():
        oracle.reload()
    return oracle


def search(oracle, trials, score=lambda values: 0.5):
    tried = []
    for _ in range(trials):
        trial = oracle.create_trial("worker")
        if trial.status != "RUNNING":
            break
        tried.append(dict(trial.hyperparameters.values))
        oracle.update_trial(trial.trial_id, {"val_loss": score(trial.hyperparameters.values)})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    return tried


def test_t3_keras_tuner_reuses_the_results_of_another_search(tmp_path):
    search(open_project(THEIRS("val_loss", 9, hyperparameters=space()), tmp_path), 2)
    other = THEIRS(keras_tuner.Objective("val_auc", "max"), 9, hyperparameters=space(1.0))
    best = open_project(other, tmp_path).get_best_trials()[0]
    assert best.score == 0.5  # a loss, as an AUC
    assert other.hyperparameters.space[0].max_value == 0.1  # and back to the old range


def test_t3_another_search_is_refused_with_the_differences(tmp_path):
    same = {"max_trials": 9, "seed": 0}
    first = OURS("val_loss", hyperparameters=space(), fingerprint={"data": "1f"}, **same)
    search(open_project(first, tmp_path), 2)
    objective = keras_tuner.Objective("val_auc", "max")
    other = OURS(objective, hyperparameters=space(1.0), fingerprint={"data": "2e"}, **same)
    with pytest.raises(InputError) as error:
        open_project(other, tmp_path)
    for part in (
        "data: '1f' there, '2e' here",
        "objective: 'val_loss (min)' there, 'val_auc (max)' here",
        "space.learning_rate.max_value: 0.1 there, 1.0 here",
    ):
        assert part in str(error.value)
    again = OURS("val_loss", hyperparameters=space(), fingerprint={"data": "1f"}, **same)
    assert len(open_project(again, tmp_path).trials) == 2


@pytest.mark.parametrize("file", ["oracle.json", "trial_0001/trial.json"])
def test_t6_a_truncated_file_makes_a_project_of_keras_tuner_unusable(file, tmp_path):
    search(open_project(THEIRS("val_loss", 1000, hyperparameters=space()), tmp_path), 3)
    path = tmp_path / "project" / file
    path.write_text(path.read_text()[:50])
    with pytest.raises(json.JSONDecodeError):
        open_project(THEIRS("val_loss", 1000, hyperparameters=space()), tmp_path)


def test_t6_a_truncated_oracle_file_loses_nothing(tmp_path):
    search(open_project(OURS("val_loss", hyperparameters=space(), seed=0), tmp_path), 3)
    path = tmp_path / "project" / "oracle.json"
    path.write_text(path.read_text()[:50])
    again = open_project(OURS("val_loss", hyperparameters=space(), seed=0), tmp_path)
    assert len(again.trials) == len(again.end_order) == 3


def test_t6_a_truncated_trial_file_is_set_aside_and_the_trial_run_anew(tmp_path):
    tried = search(open_project(OURS("val_loss", hyperparameters=space(), seed=0), tmp_path), 3)
    path = tmp_path / "project" / "trial_0001" / "trial.json"
    path.write_text(path.read_text()[:50])
    with pytest.warns(UserWarning, match="trial.json is damaged. It is now trial.json.damaged"):
        again = open_project(OURS("val_loss", hyperparameters=space(), seed=0), tmp_path)
    assert search(again, 1) == tried[1:2]
    assert sorted(again.trials) == ["0000", "0001", "0002"]


def fail_all(oracle, folder):
    oracle._set_project_dir(str(folder), "project")
    for _ in range(2):
        trial = oracle.create_trial("worker")
        trial.status, trial.message = "FAILED", "ValueError: no such layer"
        oracle.end_trial(trial)


def test_t9_keras_tuner_has_a_best_trial_when_all_failed(tmp_path):
    oracle = THEIRS("val_loss", 9, hyperparameters=space())
    fail_all(oracle, tmp_path)
    assert oracle.get_best_trials()[0].status == "FAILED"


def test_t9_all_failed_is_an_error_that_says_why(tmp_path):
    oracle = OURS("val_loss", max_trials=9, hyperparameters=space())
    fail_all(oracle, tmp_path)
    with pytest.raises(RuntimeError, match=r"all 2 that ended failed.*no such layer \(2 of 2\)"):
        oracle.get_best_trials()


def test_t9_keras_tuner_takes_minus_infinity_for_the_best(tmp_path):
    oracle = open_project(THEIRS("val_loss", 9, hyperparameters=space()), tmp_path)
    scores = iter([0.5, -np.inf])
    search(oracle, 2, lambda values: next(scores))
    best = oracle.get_best_trials()[0]
    assert (best.status, best.score) == ("COMPLETED", -np.inf)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_t9_what_is_not_finite_fails(bad, tmp_path):
    oracle = open_project(OURS("val_loss", max_trials=9, hyperparameters=space()), tmp_path)
    scores = iter([0.5, bad])
    search(oracle, 2, lambda values: next(scores))
    assert [trial.status for trial in oracle.trials.values()] == ["COMPLETED", "FAILED"]
    assert oracle.get_best_trials(9)[0].score == 0.5
    assert len(oracle.get_best_trials(9)) == 1


def twelve():
    hp = keras_tuner.HyperParameters()
    hp.Choice("units", [16, 32, 64, 128])
    hp.Choice("layers", [1, 2, 3])
    return hp


def score(values):
    return abs(values["units"] - 64) / 64 + abs(values["layers"] - 2)


def unique(tried):
    return len({tuple(sorted(values.items())) for values in tried})


def test_t10_bayesian_search_of_keras_tuner_repeats_points(tmp_path):
    theirs = keras_tuner.oracles.BayesianOptimizationOracle(
        "val_loss", 12, num_initial_points=3, hyperparameters=twelve(), seed=1
    )
    tried = search(open_project(theirs, tmp_path), 12, score)
    assert len(tried) == 12
    assert unique(tried) < 12


@pytest.mark.parametrize(
    "method", ["random", "grid", "quasi_random", "bayesian", "evolution", "zoom"]
)
def test_t10_every_method_tries_each_point_once_and_stops(method, tmp_path):
    oracle = oracles.get(method, objective="val_loss", hyperparameters=twelve(), trials=99, seed=1)
    tried = search(open_project(oracle, tmp_path), 99, score)
    assert len(tried) == unique(tried) == 12
    assert oracle.create_trial("worker").status == "STOPPED"


def test_seed_0_of_keras_tuner_is_random():
    assert len({THEIRS("val_loss", hyperparameters=space(), seed=0).seed for _ in range(9)}) > 1


def test_seed_0_is_a_seed(tmp_path):
    both = [
        search(open_project(OURS("val_loss", hyperparameters=space(), seed=0), tmp_path / name), 3)
        for name in ("a", "b")
    ]
    assert both[0] == both[1]
