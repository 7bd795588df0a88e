import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.tuning.search import search
from tests.replicas import ROOT
from tests.tuning import searched


def assert_same(one, other):
    assert [facts[:4] for facts in one] == [facts[:4] for facts in other]
    for (*_, curves), (*_, expected) in zip(one, other, strict=True):
        np.testing.assert_allclose(curves, expected, rtol=1e-5, atol=1e-6)


def test_models_that_share_a_graph_score_as_with_fit(tmp_path):
    shared = searched.run(tmp_path / "shared", repeats=2, folds=2, patience=2)
    alone = searched.run(tmp_path / "alone", repeats=2, folds=2, patience=2, population=0)
    assert_same(searched.facts(shared), searched.facts(alone))
    assert [len(record.scores) for record in shared.records] == [4] * 4


def test_the_model_is_the_best_recipe_trained_on_all_rows(tmp_path):
    result = searched.run(tmp_path / "s", refit=True)
    best = result.best
    assert {**result.model.recipe.arguments, **best.model} == result.model.recipe.arguments
    layer = kr.data.normalization(searched.X)
    expected = kr.recipes.mlp((5,), kr.targets.Binary(), preprocessing=layer, seed=0, **best.model)
    expected.fit(
        kr.data.batches(searched.X, searched.Y, batch_size=32, seed=0),
        epochs=best.epochs[0],  # the rate is constant, so that the length does not matter
        verbose=0,
    )
    np.testing.assert_allclose(
        result.model.predict(searched.X, verbose=0),
        expected.predict(searched.X, verbose=0),
        rtol=1e-5,
    )


def test_a_search_that_is_complete_is_not_run_again(tmp_path):
    first = searched.run(tmp_path / "s")
    again = searched.run(tmp_path / "s")
    assert searched.facts(again) == searched.facts(first)
    assert again.records == first.records  # the seconds too: nothing was trained


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
    searched.run(sys.argv[1], trials=9, population=int(sys.argv[2]), epochs=20)
"""


@pytest.mark.slow
@pytest.mark.parametrize("population", [0, 2])
def test_a_killed_search_goes_on(tmp_path, population):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    for ended in (1, 3):
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
    arguments = {"trials": 9, "population": population, "epochs": 20}
    result = searched.run(tmp_path / "s", **arguments)
    whole = searched.run(tmp_path / "whole", **arguments)
    assert_same(searched.facts(result), searched.facts(whole))


def test_time_ends_a_search_which_can_go_on(tmp_path):
    cut = searched.run(tmp_path / "s", trials=None, seconds=1e-6, population=2)
    assert 1 <= len(cut.ranked) <= 2
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
        ({"space": {"units": [4], "actvation": "relu"}}, "actvation"),
        ({"population": -1}, "`population`"),
        ({"validation": 1.5}, "`validation`"),
        ({"preprocessing": "standard"}, "`preprocessing`"),
    ],
)
def test_wrong_arguments_are_told_before_training(tmp_path, arguments, message):
    with pytest.raises(kr.InputError, match=message):
        searched.run(tmp_path / "s", **arguments)


def test_wrong_data_are_told_before_training(tmp_path):
    target = kr.targets.Binary()
    for data, message in [
        (searched.X, "`data`"),
        ((searched.X, searched.Y[:-1]), "one row per example"),
    ]:
        with pytest.raises(kr.InputError, match=message):
            search("mlp", (5,), target, data, directory=tmp_path / "s", quiet=True)
    with pytest.raises(kr.InputError, match="`input_shape`"):
        search("mlp", (4,), target, (searched.X, searched.Y), directory=tmp_path / "s", quiet=True)


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
