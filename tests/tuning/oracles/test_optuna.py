"""Optuna's samplers as oracles."""

import functools
import sys

import keras_tuner
import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning.oracles import Optuna, RandomSearch, get
from kerasrecipes.tuning.oracles.optuna_oracle import _distribution
from tests.tuning.oracles.searching import end, loss, network, run, small

pytestmark = pytest.mark.extra


def made(seed=0, *, trials=20, space=network, **options):
    return Optuna("val_loss", max_trials=trials, hyperparameters=space(), seed=seed, **options)


def mixed():
    """A hyperparameter of each kind, and one name under two conditions."""
    hp = small()
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    hp.Float("back", 0.1, 0.9, sampling="reverse_log")
    hp.Float("stepped", 0.0, 1.0, step=0.25)
    hp.Int("doubled", 8, 64, sampling="log", step=2)
    hp.Int("log", 1, 300, sampling="log")
    hp.Choice("ordered", [1, 10, 100], ordered=True)
    hp.Fixed("fixed", 7)
    with hp.conditional_scope("kind", ["deep"]):
        hp.Float("width", 0.0, 1.0)
    with hp.conditional_scope("kind", ["plain"]):
        hp.Int("width", 5, 9)
    return hp


def test_better_than_random_on_average():
    def best(oracle):
        run(oracle)
        return oracle.get_best_trials()[0].score

    def random(seed):
        return RandomSearch("val_loss", max_trials=40, hyperparameters=network(), seed=seed)

    found = [best(made(seed, trials=40)) for seed in range(8)]
    assert np.mean(found) < np.mean([best(random(seed)) for seed in range(8)]) / 2
    assert np.median(found) < 0.05


def test_the_direction_counts():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    late = {}
    for direction in ("min", "max"):
        goal = keras_tuner.Objective("score", direction)
        oracle = Optuna(goal, max_trials=40, hyperparameters=hp, seed=0)
        tried = run(oracle, lambda values: values["x"])
        late[direction] = np.median([values["x"] for values in tried[20:]])
    assert late["min"] < 0.2
    assert late["max"] > 0.8


@pytest.mark.parametrize("sampler", ["TPESampler", "RandomSampler", "BruteForceSampler"])
def test_a_finite_space_is_exhausted_without_repeats(sampler):
    tried = run(made(space=small, trials=99, sampler=sampler), lambda values: 1.0)
    assert len(tried) == 5
    assert len({tuple(sorted(values.items())) for values in tried}) == 5


def test_conditions_and_ranges_are_respected():
    oracle = made(space=mixed, trials=40)
    for values in run(oracle, lambda values: values["rate"]):
        deep = values["kind"] == "deep"
        assert ("layers" in values) == deep == ("bias" not in values)
        assert isinstance(values["width"], float if deep else int)
        assert 1e-4 <= values["rate"] <= 1.0
        assert 0.1 <= values["back"] <= 0.9
        assert values["stepped"] in (0.0, 0.25, 0.5, 0.75, 1.0)
        assert values["doubled"] in (8, 16, 32, 64)
        assert 1 <= values["log"] <= 300
        assert values["ordered"] in (1, 10, 100)
        assert values["fixed"] == 7


def test_what_is_told_is_what_was_asked_for():
    oracle = made(space=mixed, trials=9)
    run(oracle, lambda values: values["rate"])
    assert _distribution(oracle.hyperparameters.space[-1]).high == 4  # 5 to 9
    study, _ = oracle._study()
    for trial, (_, ours) in zip(study.trials, sorted(oracle.trials.items()), strict=True):
        values = ours.hyperparameters.values
        assert trial.value == ours.score == values["rate"]
        assert trial.params["rate"] == pytest.approx(np.log10(values["rate"]) / 4 + 1)
        assert trial.params["ordered"] == np.log10(values["ordered"])
        assert trial.params["doubled"] == np.log2(values["doubled"]) - 3
        assert trial.params["kind"] == values["kind"]
        assert "fixed" not in trial.params
        assert set(trial.params) == set(trial.distributions)


def test_failed_and_running_trials_are_told_as_such():
    oracle = made()
    first, second, third = (oracle.create_trial(f"worker {n}") for n in range(3))
    end(oracle, first, 0.5)
    end(oracle, second, None, status="FAILED", message="no memory")
    study, _ = oracle._study()
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "FAIL", "RUNNING"]
    assert study.trials[0].value == 0.5
    del third


def test_trials_that_run_are_kept_away_from():
    """With one good place known, trials at the same time do not all go there."""
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    oracle = Optuna("val_loss", hyperparameters=hp, seed=0)
    for _ in range(30):
        trial = oracle.create_trial("worker")
        end(oracle, trial, (trial.hyperparameters["x"] - 0.5) ** 2)
    together = [oracle.create_trial(f"{n}").hyperparameters["x"] for n in range(8)]
    assert len(set(together)) == 8
    assert np.std(together) > 0.02


SAMPLERS = {
    "default": {},
    "name": {"sampler": "CmaEsSampler"},
    "genetic": {"sampler": "NSGAIISampler"},
    "sequence": {"sampler": "QMCSampler"},
}


@pytest.mark.parametrize("options", SAMPLERS.values(), ids=SAMPLERS)
def test_a_search_that_is_taken_up_goes_on_as_if_it_had_not_ended(options, tmp_path):
    if options.get("sampler") == "CmaEsSampler":
        pytest.importorskip("cmaes")
    whole = made(**options)
    expected = run(whole)
    found = []
    for piece in range(4):
        oracle = made(**options)
        assert oracle.open_project(tmp_path, "search") == 5 * piece
        found += run(oracle, most=5)
    assert found == expected


def test_what_a_sampler_notes_is_kept(tmp_path):
    oracle = made(sampler="NSGAIISampler", trials=3)
    oracle.open_project(tmp_path, "search")
    run(oracle)
    assert len(list(tmp_path.glob("search/trial_*/optuna.json"))) == 3
    again = made(sampler="NSGAIISampler", trials=3)
    again.open_project(tmp_path, "search")
    assert again._attributes == oracle._attributes
    (tmp_path / "search/trial_0001/optuna.json").write_text("{")
    assert again.open_project(tmp_path, "search") == 3


def test_another_sampler_is_another_search(tmp_path):
    optuna = pytest.importorskip("optuna")
    few = functools.partial(optuna.samplers.TPESampler, n_startup_trials=3)
    many = functools.partial(optuna.samplers.TPESampler, n_startup_trials=4)
    first = made(sampler=few)
    first.open_project(tmp_path, "search")
    run(first, most=2)
    made(sampler=few).open_project(tmp_path, "search")
    with pytest.raises(InputError, match="n_startup_trials: '3' there, '4' here"):
        made(sampler=many).open_project(tmp_path, "search")


def test_it_says_nothing_and_leaves_the_settings_of_the_user(capfd):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.INFO)
    run(made(trials=3))
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == optuna.logging.INFO


def test_get_takes_the_name():
    oracle = get(
        "optuna", objective="val_loss", hyperparameters=network(), seed=0, sampler="RandomSampler"
    )
    assert isinstance(oracle, Optuna)
    assert loss(oracle.create_trial("worker").hyperparameters.values) > 0


def test_bad_arguments():
    optuna = pytest.importorskip("optuna")
    with pytest.raises(InputError, match="`sampler`.*TPESampler"):
        made(sampler="TPE")
    with pytest.raises(InputError, match="`sampler` must be a name, or a function"):
        made(sampler=optuna.samplers.TPESampler(seed=0))


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install 'kerasrecipes\[optuna\]'"):
        made()
