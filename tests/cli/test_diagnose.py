import json

import pytest
from click.testing import CliRunner

from kerasrecipes.cli.main import main

DIVERGED = "epoch,loss,val_loss\n1,2.0,2.0\n2,nan,nan\n"
FINE = "epoch,loss,val_loss\n1,2.0,2.0\n2,1.0,1.1\n"


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def files(tmp_path):
    for name, text in {"bad": DIVERGED, "good": FINE}.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path


def test_diagnose_prints_what_was_found(files):
    result = call("diagnose", files / "bad.csv", files / "good.csv")
    assert result.exit_code == 0
    assert "bad: 1 found" in result.stdout
    assert "Divergence (S10), from epoch 2" in result.stdout
    assert "good: nothing found" in result.stdout
    assert "All runs together\nwarning  Unstable over seeds (S11)" in result.stdout


def test_diagnose_prints_json(files):
    found = json.loads(call("diagnose", files / "bad.csv", "--json").stdout)
    assert [each["rule"] for each in found["findings"]] == ["divergence"]


def test_strict_is_for_scripts(files):
    assert call("diagnose", files / "bad.csv", "--strict").exit_code == 1
    assert call("diagnose", files / "good.csv", "--strict").exit_code == 0


def test_report_writes_one_file(files, monkeypatch):
    monkeypatch.chdir(files)
    result = call("report", "good.csv")
    assert result.exit_code == 0
    assert result.stdout == "report.html\n"
    assert "Learning curves" in (files / "report.html").read_text("utf-8")
    result = call("report", "good.csv", "bad.csv", "--out", "both.html")
    assert result.stdout == "both.html\n"
    assert "2 runs" in (files / "both.html").read_text("utf-8")


@pytest.mark.parametrize("command", ["diagnose", "report"])
def test_wrong_input_is_exit_code_2(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments, message in (
        ([], "Missing argument 'RUN...'"),
        (["no/such"], "There is no run folder or history file no/such"),
        ([tmp_path], "not the folder of a complete run"),
    ):
        result = call(command, *arguments)
        assert result.exit_code == 2
        assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_run_is_diagnosed_and_reported(tmp_path):
    out = tmp_path / "runs"
    for seed in (0, 1):
        trained = call("train", "iris-mlp", "--set", "fit.epochs=6", "--seed", seed, "--out", out)
        assert trained.exit_code == 0
    runs = sorted((out / "iris-mlp").iterdir())
    before = (runs[0] / "report.html").read_text("utf-8")
    result = call("report", runs[0])
    assert result.exit_code == 0, result.output
    assert (runs[0] / "report.html").read_text("utf-8").count("<img") == before.count("<img")
    assert "Worst test rows" in before
    assert call("diagnose", *runs).exit_code == 0
    assert call("report", *runs, "--out", tmp_path / "both.html").exit_code == 0
    assert "What differs" in (tmp_path / "both.html").read_text("utf-8")
