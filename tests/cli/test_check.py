import json

import pytest
from click.testing import CliRunner

from kerasrecipes import sanity
from kerasrecipes.cli.main import main
from kerasrecipes.runs import execute
from kerasrecipes.runs.load import inspect
from kerasrecipes.runs.prepare import prepare


def call(*arguments):
    """Runs the command in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_sound_recipe_passes_every_check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call("check", "iris-mlp", "--seed", 4)
    assert result.exit_code == 0, result.output
    prepared = prepare(*inspect("iris-mlp", seed=4))
    parts = prepared.rows.parts
    expected = sanity.check(
        prepared.model,
        tuple(parts["train"]),
        validation_data=tuple(parts["validation"]),
        seed=4,
    )
    assert result.stdout == f"{expected}\n"
    assert "0 warned, 0 failed" in result.stdout
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


def test_a_failed_check_is_exit_code_1_with_the_remedy():
    unscaled = "--set", "preprocessing.scaling=none"
    result = call("check", "wine-mlp", *unscaled, "--only", "feature_scale", "--only", "forward")
    assert result.exit_code == 1, result.output
    assert "feature_scale  FAIL" in result.stdout
    assert "kerasrecipes.data.normalization(x)" in result.stdout
    assert "forward        pass" in result.stdout
    assert "overfit" not in result.stdout


def test_a_warning_is_exit_code_1_only_if_asked_for():
    settings = "--set", "model.initializer=pytorch", "--set", "model.normalization=none"
    arguments = ("check", "digits-mlp", *settings, "--only", "initializer")
    result = call(*arguments)
    assert result.exit_code == 0
    assert "WARN initializer" in result.stdout
    assert call(*arguments, "--strict").exit_code == 1


def test_json():
    result = call("check", "iris-mlp", "--json", "--only", "first_loss")
    assert result.exit_code == 0
    report = sanity.Report.from_dict(json.loads(result.stdout))
    assert report["first_loss"].status == "pass"
    assert report.rows == 82


def test_what_is_found_in_a_run_stays_with_it_and_is_reported(tmp_path):
    run = execute.train(
        "iris-mlp", overrides=["fit.epochs=1"], seed=4, out=tmp_path, quiet=True
    ).folder
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    result = call("check", run, "--only", "first_loss", "--only", "symmetry", "--json")
    assert result.exit_code == 0, result.output
    assert (run / "checks.json").read_text("utf-8") == result.stdout.rstrip("\n")
    after = {path.name: path.read_bytes() for path in run.iterdir()}
    assert after.pop("checks.json")
    assert after == before
    found = sanity.Report.from_dict(json.loads(result.stdout))
    assert found["symmetry"].status == "pass", "the model is a new one"
    assert call("report", run).exit_code == 0
    assert "first loss" in (run / "report.html").read_text("utf-8")
    refused = call("check", run, "--seed", 3)
    assert refused.exit_code == 2
    assert "leave out --set and --seed" in refused.stderr


WRONG = {
    "no recipe": ([], "Missing argument 'RECIPE'"),
    "an unknown recipe": (["irsi-mlp"], "Did you mean 'iris-mlp'?"),
    "an unknown check": (["iris-mlp", "--only", "first_los"], "Did you mean 'first_loss'?"),
    "an unknown key": (["iris-mlp", "--set", "model.hiden=[8]"], "Did you mean 'hidden'?"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case):
    arguments, message = WRONG[case]
    result = call("check", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
