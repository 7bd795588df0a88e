"""HistoryFile: whole at each moment, exact numbers, and the same file after a resume."""

import csv
import io
import json
import math
import os

import keras
import numpy as np
import pandas as pd
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks.history_file import HistoryFile
from kerasrecipes.callbacks.learning_rate_log import LearningRateLog

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
FIT = {"x": X, "y": X[:, :1], "validation_data": (X, X[:, :1]), "verbose": 0}


def linear_model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def script(file, logs, first=0):
    file.on_train_begin()
    for epoch, entries in enumerate(logs, first):
        file.on_epoch_end(epoch, entries)
    file.on_train_end()
    return file


def rows(path):
    if path.suffix == ".csv":
        return [dict(row) for row in csv.DictReader(io.StringIO(path.read_text()))]
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_the_file_is_the_history_of_a_fit(tmp_path, suffix):
    path = tmp_path / "new" / f"history{suffix}"
    history = linear_model().fit(**FIT, epochs=3, callbacks=[LearningRateLog(), HistoryFile(path)])
    read = pd.read_csv if suffix == ".csv" else lambda file: pd.read_json(file, lines=True)
    table = read(path)
    assert list(table.columns[:2]) == ["epoch", "loss"]
    assert list(table["epoch"]) == [1, 2, 3]
    assert set(table.columns) == {"epoch", *history.history}
    written = {name: [float(row[name]) for row in rows(path)] for name in history.history}
    assert written == history.history, "not at full precision"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_entries_that_come_later_or_seldom(tmp_path, suffix):
    path = tmp_path / f"history{suffix}"
    fit = {**FIT, "epochs": 4, "validation_freq": 2}
    history = linear_model().fit(**fit, callbacks=[HistoryFile(path)]).history
    found = [float(row["val_loss"]) for row in rows(path) if row.get("val_loss")]
    assert found == history["val_loss"]
    assert [bool(row.get("val_loss")) for row in rows(path)] == [False, True, False, True]


def test_values_that_are_no_finite_numbers(tmp_path):
    logs = {"loss": np.float32(0.1), "a": math.nan, "b": -math.inf, "c": np.array([1.0, 2.0])}
    script(HistoryFile(tmp_path / "h.csv"), [logs])
    script(HistoryFile(tmp_path / "h.jsonl"), [logs])
    row = rows(tmp_path / "h.csv")[0]
    assert (float(row["loss"]), row["a"], row["b"]) == (float(np.float32(0.1)), "nan", "-inf")
    assert row["c"] == "[1.0, 2.0]"
    expected = {"epoch": 1, "loss": float(np.float32(0.1)), "a": None, "b": None, "c": [1.0, 2.0]}
    assert rows(tmp_path / "h.jsonl") == [expected]


LOGS = [{"loss": 1 / (n + 1), **({"val_loss": 0.5 / (n + 1)} if n % 2 else {})} for n in range(5)]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("saved", range(5))
def test_a_run_that_goes_on_ends_with_the_same_file(tmp_path, suffix, saved):
    script(HistoryFile(tmp_path / f"whole{suffix}"), LOGS)
    killed = HistoryFile(tmp_path / f"killed{suffix}")
    killed.on_train_begin()
    states = [json.loads(json.dumps(killed.state_dict()))]
    for epoch, logs in enumerate(LOGS[:4]):  # killed in the fifth epoch, saved some epochs before
        killed.on_epoch_end(epoch, logs)
        states.append(json.loads(json.dumps(killed.state_dict())))
    goes_on = HistoryFile(killed.path)
    goes_on.on_train_begin()
    goes_on.load_state_dict(states[saved])
    for epoch, logs in enumerate(LOGS[saved:], saved):
        goes_on.on_epoch_end(epoch, logs)
    assert killed.path.read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


class Crash(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            raise RuntimeError("on purpose")


def train(folder, *more):
    model = kr.recipes.mlp((3,), kr.targets.Regression(), hidden=(4,), dropout=0.2, seed=0)
    saving = kr.callbacks.standard(checkpoint=folder / "saved", progress=False)
    data = kr.data.batches(X, X[:, 0], batch_size=8, seed=0)
    model.fit(
        data,
        validation_data=(X, X[:, 0]),
        epochs=5,
        verbose=0,
        shuffle=False,
        callbacks=[*saving, HistoryFile(folder / "history.csv"), *more],
    )
    return (folder / "history.csv").read_bytes()


@pytest.mark.slow
def test_a_restart_with_a_checkpoint_ends_with_the_same_file(tmp_path):
    whole = train(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="on purpose"):
        train(tmp_path / "crashed", Crash())
    assert len(rows(tmp_path / "crashed" / "history.csv")) == 3
    assert train(tmp_path / "crashed") == whole
    assert train(tmp_path / "crashed") == whole, "a complete training was logged again"
    assert sorted(each.name for each in (tmp_path / "crashed").iterdir()) == [
        "history.csv",
        "saved",
    ]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_append_keeps_the_epochs_before(tmp_path, suffix):
    logs = [{**each, "matrix": np.eye(2)} for each in LOGS]
    script(HistoryFile(tmp_path / f"whole{suffix}"), logs)
    path = tmp_path / f"part{suffix}"
    script(HistoryFile(path, append=True), logs[:4])
    script(HistoryFile(path, append=True), logs[2:], first=2)
    assert path.read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()


def test_the_file_of_another_run_stays(tmp_path):
    path = tmp_path / "history.csv"
    for loss in (1.0, 2.0, 3.0):
        script(HistoryFile(path), [{"loss": loss}])
    found = {file.name: float(rows(file)[0]["loss"]) for file in tmp_path.iterdir()}
    assert found == {"history-1.csv": 1.0, "history-2.csv": 2.0, "history.csv": 3.0}


def test_a_fit_that_trains_nothing_touches_nothing(tmp_path):
    path = tmp_path / "history.csv"
    script(HistoryFile(path), [{"loss": 1.0}])
    before = path.read_bytes()
    script(HistoryFile(path), [])
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_write_that_fails_leaves_the_last_file_and_the_training(tmp_path, monkeypatch):
    file = script(HistoryFile(tmp_path / "history.csv"), LOGS[:1])
    before = file.path.read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.warns(UserWarning, match="No space left"):
            file.on_epoch_end(1, LOGS[1])
        assert file.path.read_bytes() == before
    file.on_epoch_end(2, LOGS[2])
    assert [row["epoch"] for row in rows(file.path)] == ["1", "2", "3"]
    assert [each.name for each in tmp_path.iterdir()] == ["history.csv"]


def test_bad_input(tmp_path):
    with pytest.raises(InputError, match="`path` must be a file that ends in .csv or .jsonl"):
        HistoryFile("history.txt")
    with pytest.raises(InputError, match="`path`"):
        HistoryFile(3)
    with pytest.raises(InputError, match="`append`"):
        HistoryFile("history.csv", append="yes")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="`path` cannot be written"):
        linear_model().fit(**FIT, callbacks=[HistoryFile(tmp_path / "file" / "history.csv")])
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="`path` must be a file"):
        HistoryFile(tmp_path / "folder.csv").on_train_begin()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "loss\n1.0\n"),
        ("b.csv", "epoch,loss\n1\n"),
        ("c.csv", "epoch,loss\n1,2,3\n"),
        ("d.csv", "epoch,loss\n1,two\n"),
        ("e.jsonl", '{"epoch": 1, "loss"'),
        ("f.jsonl", '{"loss": 1.0}\n'),
    ],
)
def test_a_file_that_cannot_be_continued_is_refused_before_training(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match="not a history file"):
        HistoryFile(tmp_path / name, append=True).on_train_begin()
    assert (tmp_path / name).read_text() == text
