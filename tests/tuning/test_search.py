import functools
import json
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import tempfile
import time

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.tuning.pruning import SuccessiveHalving
from kerasrecipes.tuning.search import search
from tests.forked import ROOT
from tests.tuning import searched


def assert_same(one, other):
    assert [facts[:4] for facts in one] == [facts[:4] for facts in other]
    for (*_, curves), (*_, expected) in zip(one, other, strict=True):
        np.testing.assert_allclose(curves, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_models_that_share_a_graph_score_as_with_fit(tmp_path):
    given = {"trials": 2, "repeats": 2, "folds": 2, "patience": 2}
    shared = searched.run(tmp_path / "shared", **given)
    alone = searched.run(tmp_path / "alone", population=0, **given)
    assert_same(searched.facts(shared), searched.facts(alone))
    assert [len(record.scores) for record in shared.records] == [4] * 2


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["none", "cosine"])
def test_the_model_is_the_best_recipe_trained_on_all_rows(tmp_path, schedule):
    space = {**searched.SPACE, "schedule": {"fix": schedule}}
    result = searched.run(tmp_path / "s", space=space, trials=2, refit=True)
    best = result.best
    (until,) = best.epochs
    epochs, arguments = 3, dict(best.model)
    if schedule == "none":  # as many epochs more as a run waits for a better one, at most all three
        epochs = until = until + 3
        falling = {"name": "warmup_stable_decay", "warmup": 0.0, "decay": 3 / until}
        arguments["schedule"] = falling
    assert {**result.model.recipe.arguments, **arguments} == result.model.recipe.arguments
    layer = kr.data.normalization(searched.X)
    expected = kr.recipes.mlp((5,), kr.targets.Binary(), preprocessing=layer, seed=0, **arguments)
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, _: setattr(expected, "stop_training", epoch + 1 == until)
    )
    expected.fit(
        kr.data.batches(searched.X, searched.Y, batch_size=32, seed=0),
        epochs=epochs,
        callbacks=[stop],
        verbose=0,
    )
    np.testing.assert_allclose(
        result.model.predict(searched.X, verbose=0),
        expected.predict(searched.X, verbose=0),
        rtol=1e-5,
    )


@pytest.mark.slow
@pytest.mark.parametrize("folds", [None, 2])
def test_the_first_guess_is_never_pruned(tmp_path, monkeypatch, folds):
    monkeypatch.setattr(SuccessiveHalving, "_is_poor", lambda *_: True)
    result = searched.run(tmp_path / "s", trials=3, folds=folds, pruning="successive_halving")
    assert [record.status for record in result.records] == ["completed", "pruned", "pruned"]
    defaults = result.space.hyperparameters().values
    assert result.best.values == {name: defaults[name] for name in result.best.values}
    assert len(result.best.scores) == (folds or 1)


@pytest.mark.slow
def test_a_search_that_is_complete_is_not_run_again(tmp_path):
    first = searched.run(tmp_path / "s")
    again = searched.run(tmp_path / "s")
    assert searched.facts(again) == searched.facts(first)
    assert again.records == first.records  # the seconds too: nothing was trained


@pytest.mark.slow
def test_trials_whose_files_are_damaged_run_again(tmp_path):
    first = searched.run(tmp_path / "s", epochs=1)
    (tmp_path / "s" / "trial_0000" / "record.json").write_text("{")
    (tmp_path / "s" / "trial_0001" / "record.json").unlink()
    (tmp_path / "s" / "trial_0002" / "trial.json").write_text("{")
    (tmp_path / "s" / "search.json").write_text("{")
    with pytest.warns(UserWarning, match="run a") as told:
        again = searched.run(tmp_path / "s", epochs=1)
    ends = [str(w.message).split(" is ")[-1] for w in told if w.category is UserWarning]
    assert ends == ["run anew.", "run again.", "run again."]
    assert_same(searched.facts(again), searched.facts(first))
    assert kr.runs.load_search(tmp_path / "s").records == again.records


@pytest.mark.slow
def test_more_trials_go_on(tmp_path):
    few = searched.run(tmp_path / "s", trials=2)
    more = searched.run(tmp_path / "s", trials=4)
    whole = searched.run(tmp_path / "whole", trials=4)
    assert more.records[:2] == few.records
    assert_same(searched.facts(more), searched.facts(whole))


KILLED = """
import sys
from tests.tuning import searched
from kerasrecipes.tuning import _records
add = _records.Records.add
def slow(self, record):
    add(self, record)
    print("ended", record.number, flush=True)
_records.Records.add = slow
if __name__ == "__main__":
    searched.run(sys.argv[1], trials=6, population=int(sys.argv[2]), epochs=10)
"""


@pytest.mark.slow
@pytest.mark.parametrize("population", [0, 2])
def test_a_killed_search_goes_on(tmp_path, population):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    for ended in (1, 2):
        process = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / "s"), str(population)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            for _ in range(ended):
                assert process.stdout.readline().startswith("ended")
            time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
    arguments = {"trials": 6, "population": population, "epochs": 10}
    result = searched.run(tmp_path / "s", **arguments)
    whole = searched.run(tmp_path / "whole", **arguments)
    assert_same(searched.facts(result), searched.facts(whole))


@pytest.mark.slow
def test_time_ends_a_search_which_can_go_on(tmp_path):
    cut = searched.run(tmp_path / "s", trials=None, seconds=1e-6, population=2)
    assert len(cut.ranked) == 2  # none was completed, so that those that were cut count
    assert cut.warnings[0].startswith("2 trials had to end early: the time was up")
    more = searched.run(tmp_path / "s", trials=4, population=2)
    assert len(more.ranked) == 4


def test_failed_trials_are_told_and_counted(tmp_path):
    space = {**searched.SPACE, "learning_rate": [1e-3, 1e30], "units": [4], "dropout": 0.1}
    result = searched.run(tmp_path / "s", space=space, trials=2)
    assert sorted(record.status for record in result.records) == ["completed", "failed"]
    (failed,) = (record for record in result.records if record.status == "failed")
    assert failed.score is None
    assert "finite" in failed.message


def test_all_failed_is_a_clear_error(tmp_path):
    space = {**searched.SPACE, "learning_rate": [1e30], "units": [4], "dropout": 0.1}
    result = searched.run(tmp_path / "s", space=space, trials=1, refit=True)
    assert result.model is None
    with pytest.raises(kr.InputError, match="finite"):
        _ = result.best


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", ["random", "grid", "quasi_random", "bayesian", "evolution", "zoom"]
)
def test_every_method_searches(tmp_path, method):
    result = searched.run(tmp_path / "s", method=method, trials=3, epochs=1)
    assert len(result.ranked) == 3
    assert len({json.dumps(dict(record.values)) for record in result.records}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("population", [0, 4])
def test_promoted_trials_go_on_exactly(tmp_path, population):
    result = searched.run(
        tmp_path / "s", method="hyperband", trials=None, epochs=4, factor=2, population=population
    )
    promoted = [record for record in result.records if record.parent]
    assert promoted
    by_id = {record.trial_id: record for record in result.records}
    for record in promoted:
        parent = by_id[record.parent]
        assert record.curves[0][: len(parent.curves[0])] == parent.curves[0]
    record = max(promoted, key=lambda r: len(r.curves[0]))
    names = {name for name in record.values if not name.startswith("tuner/")}
    fixed = {**searched.SPACE, **{n: {"fix": record.values[n]} for n in names}}
    alone = searched.run(tmp_path / "alone", space=fixed, trials=1, epochs=4)
    length = len(record.curves[0])
    np.testing.assert_allclose(alone.records[0].curves[0][:length], record.curves[0], rtol=1e-5)


class Count(keras.callbacks.Callback):
    made = 0

    def __init__(self):
        super().__init__()
        Count.made += 1


def test_callbacks_are_made_for_each_run(tmp_path):
    Count.made = 0
    searched.run(tmp_path / "s", callbacks=lambda: [Count()], trials=2, repeats=2, epochs=1)
    assert Count.made == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trials": 0}, "`trials`"),
        ({"seconds": -1}, "`seconds`"),
        ({"epochs": 0}, "`epochs`"),
        ({"folds": 1}, "`folds`"),
        ({"repeats": 0}, "`repeats`"),
        ({"workers": 0}, "`workers`"),
        ({"method": "randm"}, "`method`"),
        ({"metric": "val_profit"}, "`direction` is needed"),
        ({"metric": "val_acuracy", "direction": "max"}, "Did you mean 'val_accuracy'"),
        ({"space": {"units": [4], "actvation": "relu"}}, "actvation"),
        ({"population": -1}, "`population`"),
        ({"validation": 1.5}, "`validation`"),
        ({"preprocessing": "standard"}, "`preprocessing`"),
        ({"stop_after": 0}, "`stop_after`"),
        ({"pruning": "meidan"}, "`pruning` .* Did you mean 'median'"),
        ({"callbacks": []}, "`callbacks`"),
        ({"metric": "val_accuracy", "direction": "min"}, '`direction` must be "max"'),
        ({"space": {**searched.SPACE, "activation": "softly"}}, "activation = softly. "),
        ({"space": {**searched.SPACE, "activation": ["relu", "softly"]}}, "activation = softly. "),
        ({"space": {**searched.SPACE, "dropout": {"low": 0.5, "high": 1.5}}}, "dropout = 1.5. "),
    ],
)
def test_wrong_arguments_are_told_before_training(tmp_path, arguments, message):
    with pytest.raises(kr.InputError, match=message):
        searched.run(tmp_path / "s", **arguments)


def test_wrong_data_are_told_before_training(tmp_path):
    target = kr.targets.Binary()
    lacking = np.where(np.arange(160)[:, None] == 0, np.nan, searched.X)
    for data, message in [
        ((lacking, searched.Y), "`x` must be finite"),
        ((lacking[::-1], searched.Y), "`x` must be finite"),
        (None, "`data`"),
        (searched.X, "`data`"),
        ((searched.X, searched.Y[:-1]), "one row per example"),
    ]:
        with pytest.raises(kr.InputError, match=message):
            search("mlp", (5,), target, data, directory=tmp_path / "s", quiet=True)
    with pytest.raises(kr.InputError, match="`backbone`.* path.*Fix it in the space"):
        search("fine_tune", None, target, (searched.X, searched.Y))
    with pytest.raises(kr.InputError, match="`backbone`: .*that a file can hold"):
        kr.tuning.space("fine_tune", target).fix(backbone=keras.Sequential())
    with pytest.raises(kr.InputError, match="`recipe`"):
        search(functools.partial(kr.recipes.mlp), None, target, (searched.X, searched.Y))
    with pytest.raises(kr.InputError, match="`input_shape`"):
        search("mlp", (4,), target, (searched.X, searched.Y), directory=tmp_path / "s", quiet=True)


def own_recipe(text):
    """Returns a recipe of one's own whose source is the text, as if it was edited between runs."""
    path = pathlib.Path(tempfile.mkdtemp()) / "own_recipe.py"
    path.write_text(f"import keras\n\n\n{text}\n")
    found = runpy.run_path(str(path))["own"]
    found.__module__ = "own_recipe"
    return found


OWN = """def own(input_shape, target, *, units=4, seed=None):
    inputs = keras.Input(input_shape)
    outputs = keras.layers.Dense(1, activation="sigmoid")(inputs)
    model = keras.Model(inputs, outputs)
    model.compile("adam", target.loss(), metrics=target.metrics())
    return model"""


def test_a_folder_of_another_search_is_refused(tmp_path):
    x, y, one = searched.X, searched.Y, np.ones(160)
    held_out, target = (x[:40], y[:40]), kr.targets.Binary()
    same = {"data": (x, y, one), "validation": held_out, "preprocessing": kr.data.normalization}

    def run(recipe=OWN, **changed):
        given = {**same, **changed}
        function = own_recipe(recipe)
        space = kr.tuning.SearchSpace(function, {"units": kr.tuning.Int(4, 8)})
        given |= {"space": space, "trials": 1, "epochs": 1, "population": 0, "refit": False}
        return search(
            function, (5,), target, given.pop("data"), directory=tmp_path, quiet=True, **given
        )

    first = run()
    commented = OWN.replace("    inputs =", "    # a comment\n    inputs =")
    assert run(commented).records == first.records
    for changed, what in [
        ({"data": (x + 1, y, one)}, "data"),
        ({"data": (x, y, np.arange(160))}, "weights"),
        ({"data": (x, y)}, "weights"),
        ({"validation": (x[:40] + 1, y[:40])}, "validation"),
        ({"validation": 0.25}, "validation"),
        ({"preprocessing": None}, "preprocessing"),
        ({"recipe": OWN.replace("Dense(1,", "Dense(1, use_bias=False,")}, "recipe"),
    ]:
        with pytest.raises(kr.InputError, match=f"holds another one .*[:;] {what}: "):
            run(**changed)


def test_what_a_recipe_says_is_what_is_told(tmp_path):
    def own(input_shape, target, *, units=4, seed=None):
        raise TypeError(f"no {units} units.\nNone at all.")

    space = kr.tuning.SearchSpace(own, {"units": kr.tuning.Int(4, 8)})
    for population in (0, 2):
        found = search(
            own, (5,), kr.targets.Binary(), (searched.X, searched.Y), space=space, trials=1,
            population=population, directory=tmp_path / str(population), quiet=True,
        )  # fmt: skip
        assert "failed with: TypeError: no 4 units. Mend the cause" in found.warnings[0]
        assert "in own\n" in found.records[0].message


@pytest.mark.slow
def test_the_loss_that_decides_has_no_penalty_in_it(tmp_path):
    space = {**searched.SPACE, "units": [4], "l2": [1e-9, 10.0], "dropout": 0.1}
    space |= {"learning_rate": 1e-2, "label_smoothing": [0.0, 0.3]}
    result = searched.run(tmp_path / "s", space=space, epochs=1, method="grid", trials=4)
    assert result.objective == "val_plain_loss"
    assert all(record.score < 1.0 for record in result.records)


def test_the_first_trial_is_the_recipe_as_it_is(tmp_path):
    space = {"units": [4, 8], "layers": 1, "batch_size": 32}
    result = searched.run(tmp_path / "s", space=space, epochs=1, trials=2, population=0)
    space = kr.tuning.space("mlp", kr.targets.Binary()).edited(space)
    expected, _ = space.arguments({})
    assert dict(result.records[0].model) == json.loads(json.dumps(expected))
