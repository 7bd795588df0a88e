import dataclasses
import tomllib
import types

import keras_tuner
import numpy as np
import pandas as pd
import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning.search_result import SearchResult
from kerasrecipes.tuning.trial_record import TrialRecord


def record(number, scores, hidden=(64, 64), **more):
    values = {"learning_rate": 0.01 * number, "units": hidden[0] if hidden else 0}
    arguments = {
        "trial_id": f"t{number}",
        "values": values,
        "model": {"hidden": list(hidden), "learning_rate": 0.01 * number, "schedule": None},
        "fit": {"batch_size": 32},
        "status": "completed",
        "score": float(np.mean(scores)) if scores else None,
        "epochs": (2,) * len(scores),
        "seconds": 1.0,
        **more,
    }
    return TrialRecord(number=number, scores=tuple(scores), **arguments)


def failed(number, message):
    return record(number, (), status="failed", message=message)


def result(*records, direction="max", guess=None, **more):
    """The result of a search whose first guess is the values of the record `guess`."""
    defaults = {} if guess is None else guess.values
    hp = keras_tuner.HyperParameters()
    hp.Float("learning_rate", 1e-4, 1.0, sampling="log", default=defaults.get("learning_rate"))
    hp.Int("units", 8, 256, default=defaults.get("units"))
    space = types.SimpleNamespace(hyperparameters=lambda: hp)
    arguments = {"objective": "val_accuracy", **more}
    return SearchResult(
        recipe="mlp", direction=direction, records=records, space=space, **arguments
    )


def numbers(trials):
    return [trial.number for trial in trials]


def test_completed_trials_are_ranked_by_their_mean():
    records = (
        record(1, (0.5,)),
        record(2, (0.9,)),
        failed(3, "boom"),
        record(4, (0.95,), status="pruned"),
        record(5, (float("nan"),)),
        record(6, (0.9,)),
        record(7, (float("inf"),)),
    )
    assert numbers(result(*records).ranked) == [2, 6, 1]
    assert numbers(result(*records, direction="min").ranked) == [1, 2, 6]


def test_within_one_standard_error_are_the_simplest_and_the_first_guess():
    # Trial + run is 0.90, 0.895, 0.88, 0.80 and +-0.01; the residuals are +-0.008.
    noise = np.array([1, -1, -1, 1]) * 0.008
    records = [
        record(n, (mean + 0.01 + noise[n - 1], mean - 0.01 - noise[n - 1]), hidden)
        for n, mean, hidden in [
            (1, 0.90, (256, 256)),
            (2, 0.895, (32, 32)),
            (3, 0.88, (8,)),
            (4, 0.80, (8,)),
        ]
    ]
    found = result(*records)
    expected = np.sqrt(8 * 0.008**2 / ((4 - 1) * (2 - 1)) / 2)
    assert found.standard_error == pytest.approx(expected)
    assert 0.005 < expected < 0.02
    assert found.best_by_mean.number == 1
    assert found.simplest.number == 2
    assert found.best.number == 1
    assert "the best mean of 2 within one standard error (0.0092)" in found.choice
    for first, best in ((2, 2), (3, 1)):  # the latter is worse beyond chance
        guess = result(*records, guess=records[first - 1])
        assert guess.best.number == best
        assert ("the first guess" in guess.choice) == (best == first)


def test_what_all_trials_have_in_common_in_a_run_is_no_noise():
    records = [record(n, (0.9 - 0.01 * n, 0.7 - 0.01 * n, 0.8 - 0.01 * n)) for n in (1, 2, 3)]
    assert result(*records).standard_error == pytest.approx(0.0, abs=1e-12)
    assert result(records[0]).standard_error == pytest.approx(0.1 / np.sqrt(3))


def test_equal_sizes_leave_the_best_mean():
    records = [record(1, (0.89, 0.90)), record(2, (0.91, 0.89)), record(3, (0.90, 0.905))]
    assert result(*records).simplest is result(*records).best_by_mean


def test_unknown_sizes_leave_the_best_mean():
    records = [record(1, (0.90, 0.92)), record(2, (0.92, 0.89), (8,))]
    records[0] = dataclasses.replace(records[0], model={}, values={})
    found = result(*records)
    assert found.simplest is found.best_by_mean


def test_single_runs_take_their_error_from_the_validation_rows():
    records = [record(1, (0.95,), (256,)), record(2, (0.93,), (8,)), record(3, (0.80,), (8,))]
    assert result(*records).standard_error is None
    assert result(*records).best.number == 1
    found = result(*records, validation_rows=100)
    share = (95 + 1) / 102
    assert found.standard_error == pytest.approx(np.sqrt(share * (1 - share) / 100))
    assert found.simplest.number == 2
    assert result(*records, objective="val_loss", validation_rows=100).standard_error is None


def test_a_trial_that_another_continues_is_not_the_best():
    records = [record(1, (0.95,)), record(2, (0.94,), parent="t1"), record(3, (0.5,))]
    assert result(*records).best.number == 2
    assert result(*records).best_by_mean.number == 1


def test_without_a_completed_trial_there_is_no_best():
    found = result(failed(1, "ValueError: bad"), failed(2, "ValueError: bad"), failed(3, "OOM"))
    for ask in (lambda: found.best, lambda: found.best_by_mean, found.table, found.to_toml):
        with pytest.raises(InputError, match="None of the 3 trials") as raised:
            ask()
        assert "2 x ValueError: bad; 1 x OOM" in str(raised.value)
    assert found.importance() == {}
    assert "3 of 3 trials (100 %) failed" in str(found)
    with pytest.raises(InputError, match="Run more trials"):
        _ = result().best


def test_a_wrong_direction_or_number_of_rows_is_refused():
    with pytest.raises(InputError, match="`direction`"):
        result(direction="up")
    with pytest.raises(InputError, match="`rows`"):
        result(record(1, (0.5,))).table(rows=0)
    with pytest.raises(InputError, match="`width`"):
        result(record(1, (0.5,))).table(width=0)


def test_the_table_shows_every_run_and_value():
    records = [record(n, (0.9 - 0.01 * n, 0.91 - 0.01 * n)) for n in range(1, 15)]
    lines = result(*records).table().splitlines()
    assert len(lines) == 11
    assert lines[0].split() == [
        *("rank", "trial", "mean", "s.e.", "runs", "epochs", "seconds"),
        *("learning_rate", "units"),
    ]
    assert lines[1].split() == ["*", "1", "1", "0.895", "0.005", "0.89", "0.9"] + [
        *("2", "2", "1.0", "0.01", "64")
    ]
    assert len({len(line) for line in lines}) == 1
    assert len(result(*records).table(rows=3).splitlines()) == 4


def test_a_wide_table_goes_on_below():
    found = result(*(record(n, (0.9 - 0.01 * n, 0.91 - 0.01 * n)) for n in (1, 2)))
    assert max(map(len, found.table().splitlines())) > 60
    first, second = found.table(width=60).split("\n\n")
    assert first.splitlines()[0].split()[:3] == ["rank", "trial", "mean"]
    assert second.splitlines()[0].split() == ["rank", "trial", "learning_rate", "units"]
    assert second.splitlines()[2].split() == ["2", "2", "0.02", "64"]
    assert max(len(line) for line in (first + "\n" + second).splitlines()) <= 60


def test_the_table_always_shows_the_chosen_trial():
    records = [
        record(1, (0.92, 0.90), (256,)),
        record(2, (0.91, 0.905), (256,)),
        record(3, (0.90, 0.91), (8,)),
    ]
    lines = result(*records, guess=records[2]).table(rows=1).splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [["1", "1", "0.91"], ["*", "3", "3"]]


def test_the_text_has_the_table_and_the_warnings():
    found = result(record(1, (0.9,)), failed(2, "boom"))
    text = str(found)
    assert text.startswith("2 trials of mlp, 1 completed, by val_accuracy (higher is better)\n")
    assert found.table() in text
    for sentence in found.warnings:
        assert f"warning: {sentence}" in text
    assert "lower is better" in str(result(record(1, (0.9,)), direction="min"))


def test_the_best_recipe_is_toml():
    found = result(record(1, (0.9,)), record(2, (0.8,), (128, 64)))
    assert tomllib.loads(found.to_toml()) == {
        "recipe": "mlp",
        "model": {"hidden": [64, 64], "learning_rate": 0.01, "schedule": "none"},
        "fit": {"batch_size": 32},
    }
    assert "hidden = [128, 64]\n" in found.to_toml(found.records[1])


def test_the_frame_has_a_row_per_trial():
    found = result(record(1, (0.9, 0.8)), failed(2, "boom")).frame()
    assert isinstance(found, pd.DataFrame)
    assert list(found.index) == [1, 2]
    first = found.loc[1]
    assert (first["run_1"], first["run_2"], first["units"]) == (0.9, 0.8, 64)
    assert first["score"] == pytest.approx(0.85)
    assert first["standard_error"] == pytest.approx(np.std([0.9, 0.8], ddof=1) / np.sqrt(2))
    assert found.loc[2, "status"] == "failed"
    assert found.loc[2, "message"] == "boom"
    assert np.isnan(found.loc[2, "score"])
    assert result().frame().empty


def test_the_importance_is_of_the_score():
    rng = np.random.default_rng(0)
    records = [
        dataclasses.replace(
            record(n, (float(np.log10(rate)),)), values={"learning_rate": rate, "units": width}
        )
        for n, (rate, width) in enumerate(
            zip(10 ** rng.uniform(-4, 0, 40), rng.integers(8, 257, 40).tolist(), strict=True), 1
        )
    ]
    found = result(*records).importance()
    assert found["learning_rate"] > 0.95
    assert sum(found.values()) == pytest.approx(1.0)
    assert "importance: learning_rate" in str(result(*records))
