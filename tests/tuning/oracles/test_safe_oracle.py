"""What all oracles share: files, fingerprints, failures, queues and seeds."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras_tuner
import numpy as np
import pytest

from kerasrecipes import InputError, _atomic
from kerasrecipes.tuning import oracles
from tests.tuning.oracles import killed_search
from tests.tuning.oracles.searching import end, loss, network, run, small

METHODS = ["random", "grid", "quasi_random", "bayesian", "hyperband", "evolution", "zoom"]


def make(method="random", *, space=network, trials=10, seed=0, **options):
    return oracles.get(
        method,
        objective="val_loss",
        hyperparameters=space(),
        trials=trials,
        seed=seed,
        epochs=4,
        **options,
    )


class KilledError(BaseException):
    """Stands for kill -9."""


def kill_at(monkeypatch, moment):
    """The process dies at the given renaming of a file, before it or after it."""
    replace, seen = os.replace, []

    def dying(source, target):
        seen.append(target)
        if len(seen) == moment // 2 + 1 and moment % 2 == 0:
            raise KilledError
        replace(source, target)
        if len(seen) == moment // 2 + 1:
            raise KilledError

    monkeypatch.setattr(_atomic.os, "replace", dying)


def check_goes_on(method, moment, folder, monkeypatch):
    options = {"trials": 9, "num_initial_points": 5} if method == "bayesian" else {"trials": 9}
    expected = run(make(method, **options))
    monkeypatch.setattr(_atomic.os, "fsync", lambda descriptor: None)  # slow, and not the point
    with monkeypatch.context() as patch:
        kill_at(patch, moment)
        first = make(method, **options)
        first.open_project(folder)
        with pytest.raises(KilledError):
            run(first)
    second = make(method, **options)
    second.open_project(folder)
    run(second)
    found = [second.trials[i].hyperparameters.values for i in sorted(second.trials)]
    assert found == expected
    assert all(trial.status == "COMPLETED" for trial in second.trials.values())


@pytest.mark.parametrize("moment", range(26))
def test_killed_at_any_moment_a_search_goes_on(moment, tmp_path, monkeypatch):
    """Before and after each file of the first two trials gets its name."""
    check_goes_on("random", moment, tmp_path, monkeypatch)


@pytest.mark.parametrize("method", METHODS)
def test_a_killed_search_goes_on_as_if_nothing_had_been(method, tmp_path, monkeypatch):
    for moment in (38, 75, 101):
        check_goes_on(method, moment, tmp_path / str(moment), monkeypatch)


@pytest.mark.slow
def test_kill_9(tmp_path):
    """Several times within one search, at moments that nobody chose."""
    program = [sys.executable, "-m", "tests.tuning.oracles.killed_search", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    for seconds in (0.3, 0.47):
        with subprocess.Popen(program, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(seconds)
            process.kill()
    oracle = killed_search.make()
    assert 2 <= oracle.open_project(tmp_path) < 400
    oracle.max_trials = 40
    run(oracle)
    expected = killed_search.make()
    expected.max_trials = 40
    assert [oracle.trials[i].hyperparameters.values for i in sorted(oracle.trials)][:40] == run(
        expected
    )


def test_what_is_written_is_what_keras_tuner_reads(tmp_path):
    ours = make()
    ours.open_project(tmp_path, "project")
    run(ours)
    theirs = keras_tuner.oracles.RandomSearchOracle("val_loss", max_trials=10)
    theirs._set_project_dir(str(tmp_path), "project")
    theirs.reload()
    assert theirs.get_best_trials()[0].score == ours.get_best_trials()[0].score


def test_a_damaged_trial_is_set_aside_and_run_anew(tmp_path):
    expected = run(make())
    first = make()
    first.open_project(tmp_path)
    run(first)
    path = tmp_path / "search" / "trial_0003" / "trial.json"
    path.write_text(path.read_text()[:100])
    second = make()
    with pytest.warns(UserWarning, match=r"trial_0003.trial.json is damaged.*run anew"):
        assert second.open_project(tmp_path) == 9
    assert path.with_name("trial.json.damaged").stat().st_size == 100
    assert run(second) == [expected[3]]


@pytest.mark.parametrize("content", [None, "", '{"ongoing_tri', "[]"])
def test_oracle_json_is_rebuilt(content, tmp_path):
    first = make()
    first.open_project(tmp_path)
    tried = run(first, most=4)
    path = tmp_path / "search" / "oracle.json"
    whole = json.loads(path.read_text())
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    second = make()
    assert second.open_project(tmp_path) == 4
    assert json.loads(path.read_text())["end_order"] == whole["end_order"]
    assert tried + run(second) == run(make())


def test_an_empty_trial_file_is_damaged_too(tmp_path):
    (tmp_path / "search" / "trial_0000").mkdir(parents=True)
    (tmp_path / "search" / "trial_0000" / "trial.json").write_bytes(b"\xff\x00")
    with pytest.warns(UserWarning, match="damaged"):
        assert make().open_project(tmp_path) == 0


def test_another_fingerprint_is_refused_with_the_differences(tmp_path):
    first = make(fingerprint={"data": "a" * 8, "folds": {"number": 3}})
    first.open_project(tmp_path)
    run(first, most=1)
    make(fingerprint={"folds": {"number": 3}, "data": "a" * 8}).open_project(tmp_path)
    second = make(seed=1, fingerprint={"data": "b" * 8, "folds": {"number": 5}, "recipe": "mlp"})
    with pytest.raises(InputError) as error:
        second.open_project(tmp_path)
    message = str(error.value)
    assert message.startswith("`directory` must be new or of the same search.")
    for part in (
        "data: 'aaaaaaaa' there, 'bbbbbbbb' here",
        "folds.number: 3 there, 5 here",
        "recipe: nothing there, 'mlp' here",
        "seed: 0 there, 1 here",
    ):
        assert part in message


def test_method_objective_space_and_options_are_part_of_the_fingerprint(tmp_path):
    first = make("zoom")
    first.open_project(tmp_path)
    run(first, most=1)
    with pytest.raises(InputError, match="method: 'Zoom' there, 'RandomSearch' here"):
        make("random").open_project(tmp_path)
    with pytest.raises(InputError, match=r"factor: 2.0 there, 4.0 here"):
        make("zoom", factor=4.0).open_project(tmp_path)
    with pytest.raises(InputError, match=r"space.learning_rate.type: 'Float' there, nothing here"):
        make("zoom", space=small).open_project(tmp_path)
    other = oracles.Zoom("val_accuracy", hyperparameters=network(), seed=0)
    with pytest.raises(InputError, match=r"'val_loss \(min\)' there, 'val_accuracy \(max\)' here"):
        other.open_project(tmp_path)


def test_more_trials_are_not_another_search(tmp_path):
    first = make(trials=3)
    first.open_project(tmp_path)
    tried = run(first)
    second = make(trials=6)
    second.open_project(tmp_path)
    assert tried + run(second) == run(make(trials=6))


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("objective", ["val_loss", "val_accuracy"])
def test_a_score_that_is_not_finite_fails(score, objective):
    oracle = oracles.RandomSearch(objective, hyperparameters=network(), seed=0)
    trial = oracle.create_trial("worker")
    end(oracle, trial, score)
    assert trial.status == "FAILED"
    assert trial.score is None
    assert trial.message == f"{objective} is {score}"
    good = oracle.create_trial("worker")
    end(oracle, good, 0.5)
    assert oracle.get_best_trials(5) == [good]


def test_the_best_finite_value_is_the_score():
    oracle = make()
    trial = oracle.create_trial("worker")
    for step, value in enumerate([0.5, 0.3, -np.inf, np.nan]):
        oracle.update_trial(trial.trial_id, {"val_loss": value}, step=step)
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    assert (trial.status, trial.score, trial.best_step) == ("COMPLETED", 0.3, 1)


def test_a_trial_without_the_objective_fails():
    oracle = make()
    trial = oracle.create_trial("worker")
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    assert (trial.status, trial.message) == ("FAILED", "there is no val_loss")


def test_all_failed_is_an_error_that_says_why():
    oracle = make(trials=3)
    with pytest.raises(RuntimeError, match="none has ended yet"):
        oracle.get_best_trials()
    for message in ("Traceback\nValueError: no such layer", "ValueError: no such layer"):
        end(oracle, oracle.create_trial("worker"), 0.0, status="FAILED", message=message)
    end(oracle, oracle.create_trial("worker"), np.nan)
    with pytest.raises(RuntimeError) as error:
        oracle.get_best_trials()
    assert str(error.value) == (
        "There is no best trial: all 3 that ended failed. They said: "
        "ValueError: no such layer (2 of 3); val_loss is nan (1 of 3)."
    )


def test_best_trials_are_completed_ones_in_order():
    oracle = make(trials=6)
    run(oracle)
    oracle.max_trials = 7
    oracle.create_trial("worker")
    scores = [trial.score for trial in oracle.get_best_trials(100)]
    assert len(scores) == 6
    assert scores == sorted(scores)


def test_stops_after_failures_in_a_row_and_says_so(tmp_path):
    oracle = make(trials=50, max_consecutive_failed_trials=4)
    oracle.open_project(tmp_path)
    assert len(run(oracle, lambda values: np.nan)) == 4
    assert oracle.stop_reason == "4 trials in a row failed, the last with: val_loss is nan"
    again = make(trials=50, max_consecutive_failed_trials=4)
    again.open_project(tmp_path)
    assert len(run(again, lambda values: np.nan)) == 4


def test_retries():
    oracle = make(trials=2, max_retries_per_trial=1)
    first = oracle.create_trial("worker")
    end(oracle, first, np.nan)
    again = oracle.create_trial("worker")
    assert again.trial_id == first.trial_id
    end(oracle, again, 0.25)
    assert (again.status, again.score) == ("COMPLETED", 0.25)


def test_requeue_gives_the_trial_to_another_worker():
    oracle = make()
    lost = oracle.create_trial("gone")
    oracle.update_trial(lost.trial_id, {"val_loss": 0.0})
    values = dict(lost.hyperparameters.values)
    assert oracle.requeue("gone") == lost.trial_id
    assert oracle.requeue("gone") is None
    taken = oracle.create_trial("other")
    assert (taken.trial_id, taken.hyperparameters.values) == (lost.trial_id, values)
    end(oracle, taken, 0.5)
    assert taken.score == 0.5  # not the mean with what the lost worker said
    end(oracle, taken, 0.1)  # the lost worker comes back
    assert len(oracle.end_order) == 1


def test_a_worker_that_asks_again_gets_its_trial():
    oracle = make()
    assert oracle.create_trial("worker") is oracle.create_trial("worker")
    assert oracle.create_trial("other").trial_id == "0001"


def test_threads_share_an_oracle():
    oracle = make(trials=60)
    seen = []

    def work(name):
        while (trial := oracle.create_trial(name)).status == "RUNNING":
            seen.append(tuple(trial.hyperparameters.values.items()))
            end(oracle, trial, loss(trial.hyperparameters))

    threads = [threading.Thread(target=work, args=(str(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == len(seen) == 60
    assert not oracle.ongoing_trials


def test_an_error_within_leaves_the_oracle_usable_by_other_threads():
    oracle = make()
    with pytest.raises(InputError, match="`trial_id` must be the id of a trial of this search"):
        oracle.update_trial("9999", {"val_loss": 0.0})
    trial = oracle.create_trial("worker")
    with pytest.raises(ValueError, match="Objective value missing"):
        oracle.update_trial(trial.trial_id, {"loss": 0.0})
    other = threading.Thread(target=oracle.create_trial, args=("other",), daemon=True)
    other.start()
    other.join(10)
    assert not other.is_alive()


def test_nothing_is_printed(capsys, tmp_path):
    oracle = make()
    oracle.verbose = 1
    oracle.open_project(tmp_path)
    run(oracle)
    assert capsys.readouterr().out == ""


def test_under_a_tuner_of_keras_tuner(tmp_path):
    class Tuner(keras_tuner.Tuner):
        def run_trial(self, trial, *args, **kwargs):
            hp = trial.hyperparameters
            return {"val_loss": (hp.Float("x", 0.0, 1.0) - 0.5) ** 2}

    oracle = oracles.RandomSearch("val_loss", max_trials=8, seed=0)
    tuner = Tuner(oracle=oracle, directory=tmp_path, project_name="p")
    tuner.search()
    best = tuner.get_best_hyperparameters()[0]
    assert abs(best["x"] - 0.5) < 0.2
    assert len({trial.hyperparameters["x"] for trial in oracle.trials.values()}) >= 7


@pytest.mark.parametrize(
    "bad",
    [
        {"max_trials": 0},
        {"seed": -1},
        {"max_consecutive_failed_trials": 0},
        {"max_retries_per_trial": -1},
    ],
)
def test_bad_arguments(bad):
    with pytest.raises(InputError, match=f"`{next(iter(bad))}` must be an integer >="):
        oracles.RandomSearch("val_loss", hyperparameters=network(), **bad)


def test_directions_come_from_our_table():
    oracle = oracles.RandomSearch("val_f1_score", hyperparameters=network())
    assert oracle.objective.direction == "max"
    with pytest.raises(InputError, match="val_profit"):
        oracles.RandomSearch("val_profit", hyperparameters=network())
