import json
import subprocess
import sys
import types

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks.history_file import HistoryFile
from kerasrecipes.diagnosis import RunRecord, diagnose
from kerasrecipes.diagnosis.run_record import record

CURVES = {"loss": [2.0, 1.0, 0.5], "val_loss": [2.0, 1.1, 0.7]}
METRICS = {
    "data": {"rows": {"train": 70, "validation": 20, "test": 10}},
    "metrics": {},
    "epochs": {"run": 3, "asked": 9, "best": 2},
    "fit": {"batch_size": 16},
    "target": {"kind": "multiclass", "classes": None},
    "stopped": "val_loss has not improved for 1 epochs",
    "random_guess_loss": 1.1,
}


def make_run(
    folder, seed=0, history="epoch,loss,val_loss\n1,2.0,2.0\n2,1.0,1.1\n3,0.5,0.7\n", **new
):
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps({**METRICS, **new}))
    (folder / "history.csv").write_text(history)
    recipe = f'recipe = "mlp"\nseed = {seed}\n[target]\nkind = "multiclass"\nclasses = 3\n'
    recipe += f"[split]\nseed = {seed}\n[model]\nlabel_smoothing = 0.1\n"
    (folder / "recipe.toml").write_text(recipe)
    return folder


def test_a_run_folder_says_all_by_itself(tmp_path):
    run = record(make_run(tmp_path / "run"))
    assert run.training.tolist() == [2.0, 1.0, 0.5]
    assert (run.best_epoch, run.epochs, run.batch_size, run.validation_rows) == (2, 9, 16, 20)
    assert (run.kept, run.guess_loss, run.target) == (1, 1.1, "multiclass")
    shares = np.array([0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3])
    assert run.floor == pytest.approx(-(shares * np.log(shares)).sum())
    result = types.SimpleNamespace(folder=tmp_path / "run")
    assert record(result).name == run.name
    assert record(run, batch_size=8).batch_size == 8


class Scripted(keras.callbacks.Callback):
    """Overwrites the validation loss."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = 1.0 + abs(epoch - 4)


def test_a_history_knows_which_weights_early_stopping_has_brought_back():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((4, 1))

    def fit(**how):
        callbacks = [Scripted(), kr.callbacks.EarlyStopping("val_loss", patience=3, **how)]
        rows = {"validation_data": (x, x), "initial_epoch": 2, "epochs": 20, "verbose": 0}
        return record(model.fit(x, x, **rows, callbacks=callbacks))

    run = fit()
    assert (run.length, run.best_epoch, run.kept) == (6, 3, 2)
    assert run.stopped == "val_loss has not improved for 3 epochs"
    without = fit(restore_best_weights=False)
    assert (without.best_epoch, without.kept, without.stopped) == (None, 5, run.stopped)


def test_a_run_that_diverged(tmp_path):
    history = "epoch,loss,val_loss\n1,2.0,inf\n2,nan,nan\n"
    run = make_run(tmp_path / "run", history=history, epochs={"run": 2, "asked": 9, "best": None})
    found = diagnose(run)
    assert [finding.rule for finding in found.findings] == ["divergence"]
    assert set(found.not_judged[str(run)].values()) >= {"the training diverged"}


def test_runs_that_differ_by_the_seed_are_compared(tmp_path):
    bad = "epoch,loss,val_loss\n1,2.0,2.0\n2,1.9,1.9\n"
    runs = [make_run(tmp_path / "a", 0), make_run(tmp_path / "b", 1, bad)]
    assert "unstable_seeds" in diagnose(runs)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_history_files_of_unfinished_runs(tmp_path, suffix):
    path = tmp_path / f"history.{suffix}"
    file = HistoryFile(path)
    file.on_train_begin()
    for epoch, (loss, other) in enumerate(zip(CURVES["loss"], CURVES["val_loss"], strict=True)):
        late = {"late": 1.0} if epoch else {}
        file.on_epoch_end(epoch, {"loss": loss, "val_loss": other, "per_class": [1.0, 2.0], **late})
    run = record(path)
    assert {name: values.tolist() for name, values in run.history.items()} == {
        **CURVES,
        "late": [1.0, 1.0],
    }
    assert run.curve("late") is None
    file.on_epoch_end(3, {"loss": float("nan"), "val_loss": 1.0, "late": 1.0})
    assert "divergence" in diagnose(path)


def test_a_history_of_keras():
    model = kr.recipes.mlp((4,), kr.targets.Multiclass(3), hidden=(4,), seed=0)
    x = np.eye(4, dtype="float32")
    history = model.fit(x, [0, 1, 2, 0], validation_data=(x, [0, 1, 2, 0]), epochs=2, verbose=0)
    run = record(history)
    assert run.guess_loss == pytest.approx(np.log(3))
    assert (run.epochs, run.length, run.kept) == (2, 2, 1)
    assert "takes at least" in str(diagnose(history))
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    plain.compile("sgd", "mse")
    run = record(plain.fit(x, np.ones(4), epochs=2, verbose=0))
    assert run.guess_loss is None
    assert "no_validation" in diagnose(run)


def test_validation_in_some_epochs_only_is_not_judged():
    found = diagnose({"loss": [2.0, 1.5, 1.2, 1.0, 0.9, 0.8], "val_loss": [1.6, 1.1, 0.9]})
    assert "no_validation" not in found
    assert "validation loss of every epoch" in found.not_judged["history"]["overfitting"]


def test_what_is_printed_and_stored():
    found = diagnose([{"loss": [1.0, float("inf")]}, CURVES])
    text = str(found)
    assert text.startswith("history 1: 1 found, by 1 of 16 rules\nwarning  Divergence (S10), from")
    assert "history 2: nothing found" in text
    assert all(len(line) < 130 or line.startswith("not judged") for line in text.splitlines())
    stored = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert stored["findings"][0]["rule"] == "divergence"
    assert stored["findings"][0]["epoch"] == 2
    assert not stored["healthy"]
    assert [each.rule for each in found.of("history 1")] == ["divergence"]
    with pytest.raises(KeyError, match="zig_zag"):
        found["zig_zag"]


WRONG = {
    "no run": ([], "`runs` must be at least one run"),
    "a number": (3, "`run` must be a History, a dict of curves"),
    "no loss": ({"accuracy": [1.0]}, "`history` must be a history with the `loss`"),
    "no epoch": ({"loss": []}, "`history` must be a history with the `loss`"),
    "no such folder": ("no/such", "There is no run folder or history file no/such"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_run_is_refused(kind):
    runs, message = WRONG[kind]
    with pytest.raises(InputError, match=message):
        diagnose(runs)


def test_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(InputError, match="`rules`.*Did you mean 'overfitting'"):
        diagnose(CURVES, rules=["over_fitting"])
    with pytest.raises(InputError, match="`rules` must be a list"):
        diagnose(CURVES, rules="overfitting")
    with pytest.raises(InputError, match="`batch_size` must be an integer >= 1"):
        diagnose(CURVES, batch_size=0)
    with pytest.raises(InputError, match="`guess_loss` must be a finite number"):
        diagnose(CURVES, guess_loss=float("nan"))


@pytest.mark.parametrize("name", ["metrics.json", "history.csv", "recipe.toml"])
def test_a_run_that_is_not_complete_or_damaged_is_refused(tmp_path, name):
    run = make_run(tmp_path / "run")
    (run / name).write_text("= {")
    with pytest.raises(InputError, match="is damaged|is not a history file|`loss`"):
        diagnose(run)
    (run / name).unlink()
    with pytest.raises(InputError, match=f"not the folder of a complete run: it has no {name}"):
        diagnose(run)


def test_a_loss_that_only_rises_is_told_in_sane_numbers():
    found = diagnose({"loss": list(np.linspace(1.0, 1.4, 12)), "val_loss": [1.0] * 12})
    assert "by 82 % of all there was to lose" in found["rate_too_high"].evidence
    assert not any(len(word) > 12 and word.isdigit() for word in str(found).split())


def test_only_some_rules():
    found = diagnose({"loss": [1.0, float("inf")]}, rules=["no_validation"])
    assert [finding.rule for finding in found.findings] == ["no_validation"]
    assert found.rules == ("no_validation",)


def test_it_needs_no_keras():
    code = (
        "import sys; from kerasrecipes.diagnosis import diagnose\n"
        "diagnose({'loss': [1.0, 0.5], 'val_loss': [1.0, 0.5]})\n"
        "assert not {'keras', 'tensorflow', 'matplotlib', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=180)


def test_own_rules_can_use_the_record():
    run = RunRecord("mine", {"loss": [1.0, 0.5], "dead_fraction/a": [0.0, 0.5]})
    assert {n: v.tolist() for n, v in run.by_layer("dead_fraction").items()} == {"a": [0.0, 0.5]}
    assert run.span == 0.5
    assert run.learned(0.5) is None
    assert RunRecord("mine", CURVES, guess_loss=2.0, floor=0.5).learned(0.5) == 1.0
