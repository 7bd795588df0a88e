import json
import shutil
import tomllib

import pytest
from click.testing import CliRunner

from kerasrecipes import _recipe_files
from kerasrecipes.cli.main import main

pytestmark = pytest.mark.usefixtures("plain_pictures")


def call(*arguments):
    """Runs the command in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    result = call("train", "iris-mlp", "--set", "fit.epochs=2", "--out", out, "--seed", 3)
    assert result.exit_code == 0, result.output
    (folder,) = (out / "iris-mlp").iterdir()
    return folder, result.stdout


def test_help_names_every_command_and_exit_code():
    result = call("--help")
    assert result.exit_code == 0
    commands = "train find-lr tune launch list show copy validate check evaluate predict".split()
    commands += ["diagnose", "fit", "report", "doctor", "export"]
    for word in [*commands, "130", "wrong usage or input"]:
        assert word in result.output
    assert [name for name in main.commands if name not in commands] == []


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_explains_itself(command):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


def test_list_has_a_line_for_each_shipped_recipe():
    lines = call("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(_recipe_files.shipped())
    assert all(len(line) < 100 for line in lines)


def test_show_prints_the_recipe_with_defaults():
    tables = tomllib.loads(call("show", "iris-mlp", "--set", "fit.epochs=7").stdout)
    assert tables["fit"]["epochs"] == 7
    assert tables["split"] == {"validation": 0.2, "test": 0.25, "stratify": "auto", "seed": 0}
    assert tables["model"]["activation"] == "relu"


def test_copy_keeps_comments_and_overwrites_nothing(tmp_path):
    source = _recipe_files.find("iris-mlp").read_text("utf-8")
    assert call("copy", "iris-mlp", tmp_path).stdout == f"{tmp_path / 'iris-mlp.toml'}\n"
    assert (tmp_path / "iris-mlp.toml").read_text("utf-8") == source
    assert call("copy", "iris-mlp", tmp_path / "mine.toml").exit_code == 0
    again = call("copy", "digits-mlp", tmp_path / "mine.toml")
    assert again.exit_code == 2
    assert "mine.toml exists" in again.stderr
    assert (tmp_path / "mine.toml").read_text("utf-8") == source
    assert call("copy", "iris-mlp", tmp_path / "no" / "mine.toml").exit_code == 2


def test_copy_brings_the_data_along_and_overwrites_nothing(tmp_path):
    assert call("copy", "numbers-text", tmp_path).exit_code == 0
    assert (tmp_path / "numbers.csv").read_text().startswith("words,parity\nzero,even\n")
    assert call("validate", tmp_path / "numbers-text.toml").exit_code == 0
    (tmp_path / "numbers.csv").write_text("mine")
    again = call("copy", "numbers-text", tmp_path / "other.toml")
    assert again.exit_code == 2
    assert "numbers.csv exists, and is not overwritten" in again.stderr
    assert not (tmp_path / "other.toml").exists()
    assert (tmp_path / "numbers.csv").read_text() == "mine"
    assert call("copy", "digits-fine-tune", tmp_path).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} >= {"ten-digits.keras", "even-digits.npz"}


def test_train_says_what_it_does_and_where_the_folder_is(run):
    folder, out = run
    assert f"run folder  {folder}" in out
    assert "up to 2 epochs" in out
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["seed"] == 3
    assert metrics["epochs"]["run"] == 2


def test_quiet_prints_the_folder_only(tmp_path):
    result = call("train", "iris-mlp", "--set", "fit.epochs=1", "--out", tmp_path, "--quiet")
    assert result.exit_code == 0
    (folder,) = (tmp_path / "iris-mlp").iterdir()
    assert result.stdout == f"{folder}\n"
    assert result.stderr == ""


def test_validate_says_so():
    assert "iris-mlp.toml is valid." in call("validate", "iris-mlp", "--no-data").stdout


def test_evaluate_compares_and_a_difference_is_exit_code_1(run, tmp_path):
    folder, _ = run
    same = call("evaluate", folder)
    assert same.exit_code == 0
    assert "The same as recorded." in same.stdout
    copy = shutil.copytree(folder, tmp_path / "copy")
    metrics = json.loads((copy / "metrics.json").read_text())
    metrics["metrics"]["test"]["loss"] = 9.0
    (copy / "metrics.json").write_text(json.dumps(metrics))
    other = call("evaluate", copy)
    assert other.exit_code == 1
    assert "not what the run recorded: loss." in other.stderr


def test_predict_writes_csv_to_standard_output_or_a_file(run, tmp_path):
    folder, _ = run
    data = tmp_path / "new.csv"
    names = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    data.write_text(",".join([*names, "id"]) + "\n5.1,3.5,1.4,0.2,1\n6.8,3.0,5.5,2.1,2\n")
    result = call("predict", folder, data)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split(",")[:2] == ["prediction", "probability_setosa"]
    assert len(lines) == 3
    assert "does not use: id." in result.stderr
    out = tmp_path / "out.csv"
    quiet = call("predict", folder, data, "--out", out)
    assert quiet.stdout == ""
    assert out.read_text() == result.stdout


WRONG = {
    "an unknown command": (["trian"], "No such command"),
    "no argument": (["train"], "Name a RECIPE to train, or a run"),
    "two things to train": (["train", "iris-mlp", "--resume", "x"], "Name a RECIPE to train, or"),
    "a change to a run": (["train", "--resume", "x", "--seed", "1"], "without changes"),
    "no run to go on with": (["train", "--resume", "no/such"], "is not a run folder"),
    "an unknown option": (["train", "iris-mlp", "--sead", "1"], "No such option"),
    "a negative seed": (["train", "iris-mlp", "--seed", "-1"], "Invalid value for '--seed'"),
    "an unknown recipe": (["train", "irsi-mlp"], "Did you mean 'iris-mlp'?"),
    "an unknown recipe to show": (["show", "irsi-mlp"], "Did you mean 'iris-mlp'?"),
    "a file that is not there": (["validate", "no.toml"], "There is no recipe file no.toml"),
    "a bad override": (["show", "iris-mlp", "--set", "fit.epoch=1"], "Did you mean 'epochs'?"),
    "a bad argument": (
        ["train", "iris-mlp", "--set", "model.dropout=2"],
        "model.dropout (override): `dropout` must be a number in [0, 1)",
    ),
    "no run": (["evaluate", "no/such"], "There is no run folder no/such"),
    "no run to predict with": (["predict", "no/such", "data.csv"], "There is no run folder"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_input_is_exit_code_2_and_one_message(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, message = WRONG[kind]
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_exit_code_1_without_a_traceback(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kerasrecipes.runs.folder.write_text", fail)
    result = call("train", "iris-mlp", "--out", tmp_path)
    assert result.exit_code == 1
    assert "Error: [Errno 28] No space left on device" in result.stderr


def test_a_bug_shows_its_traceback(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr("kerasrecipes.runs.execute.train", fail)
    result = call("train", "iris-mlp", "--out", tmp_path)
    assert result.exit_code == 1
    assert isinstance(result.exception, RuntimeError)


def test_a_diverged_training_is_exit_code_1(tmp_path):
    settings = ["model.optimizer=sgd", "model.learning_rate=1e30", "model.clip_norm=none"]
    settings += ["model.normalization=none", "fit.epochs=3"]
    arguments = [part for setting in settings for part in ("--set", setting)]
    result = call("train", "diabetes-mlp", *arguments, "--out", tmp_path, "--quiet")
    assert result.exit_code == 1
    assert "the training diverged: val_loss was never finite" in result.stderr
