import dataclasses
import os
import re
import signal
import subprocess
import sys
import threading

import pytest
from click.testing import CliRunner

from kerasrecipes import runs
from kerasrecipes.cli.main import main
from kerasrecipes.runs.folder import read_metrics

pytestmark = pytest.mark.usefixtures("plain_pictures")

COMMAND = [sys.executable, "-m", "kerasrecipes.cli"]
SETTINGS = [
    *("--set", "fit.epochs=2"),
    *("--set", "tune.units=[4, 8]"),
    *("--set", "tune.layers=1"),
    *("--set", 'tune.only=["units", "dropout"]'),
]


def call(*arguments):
    """Runs the command in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    out = tmp_path_factory.mktemp("searches")
    result = call("tune", "iris-mlp", *SETTINGS, "--trials", 2, "--seed", 3, "--out", out)
    assert result.exit_code == 0, result.output
    (folder,) = (out / "iris-mlp").iterdir()
    return folder, result.stdout


def test_it_says_what_it_does_and_what_came_out(search):
    folder, out = search
    for expected in (
        "train 82, validation 30, test 38; the test rows are for the end",
        "random, 2 trials",
        "the 30 validation rows",
        "Search space of mlp: 2 hyperparameters",
        "ended: ",
        "2 trials of mlp, 2 completed, by val_",
        "training trial ",
        "Accuracy",
        f"search folder   {folder}",
        f"kerasrecipes train {folder / 'best.toml'}",
    ):
        assert expected in out
    assert runs.read(folder / "recipe.toml").seed == 3


def test_show_prints_what_the_files_say(search):
    folder, out = search
    shown = call("tune", "--show", folder)
    assert shown.exit_code == 0
    table = re.search(r"rank .*\n.*\n.*", out)[0]
    assert table in shown.stdout
    assert shown.stdout.splitlines()[-1].startswith("ended: ")


@pytest.mark.slow
def test_quiet_prints_the_folder_only_and_more_trials_go_on(search, tmp_path):
    result = call(
        *("tune", "iris-mlp", *SETTINGS, "--method", "quasi_random", "--trials", 1, "--repeats", 2),
        *("--out", tmp_path, "--quiet"),
    )
    assert result.exit_code == 0, result.output
    (folder,) = (tmp_path / "iris-mlp").iterdir()
    assert result.stdout == f"{folder}\n"
    assert result.stderr == ""
    more = call("tune", "--resume", folder, "--trials", 2, "--quiet")
    assert more.exit_code == 0, more.output
    assert more.stdout == f"{folder}\n"
    assert len(runs.load_search(folder).records) == 2
    again = call("tune", "--resume", folder)
    assert again.exit_code == 2
    assert "is complete" in again.stderr


def test_no_completed_trial_is_exit_code_1(tmp_path):
    rates = ["learning_rate=1e30", 'optimizer="sgd"', 'clip_norm={ fix = "none" }']
    rates += ['schedule={ fix = "none" }', 'normalization={ fix = "none" }', "units=[4, 8]"]
    rates += ["layers=1", 'only=["units"]']
    settings = [part for rate in rates for part in ("--set", f"tune.{rate}")]
    result = call("tune", "diabetes-mlp", *settings, "--trials", 1, "--out", tmp_path)
    assert result.exit_code == 1, result.output
    assert "no trial is completed" in result.stderr
    assert "never finite" in result.stdout


WRONG = {
    "nothing to tune": ([], "Name a RECIPE to tune, or a search"),
    "two things to tune": (["iris-mlp", "--resume", "x"], "Name a RECIPE to tune, or a search"),
    "a change to a search": (
        ["--resume", "x", "--method", "grid", "--set", "a=1"],
        "without --method, --set.",
    ),
    "a change to what is shown": (
        ["--show", "x", "--trials", "3"],
        "changes nothing, without --tri",
    ),
    "no search to go on with": (["--resume", "no/such"], "is not the folder of a search"),
    "no search to show": (["--show", "no/such"], "is not the folder of a search"),
    "an unknown method": (["iris-mlp", "--method", "randm"], "Invalid value for '--method'"),
    "no trials": (["iris-mlp", "--trials", "0"], "Invalid value for '--trials'"),
    "no time": (["iris-mlp", "--seconds", "0"], "Invalid value for '--seconds'"),
    "one fold": (["iris-mlp", "--folds", "1"], "Invalid value for '--folds'"),
    "no worker": (["iris-mlp", "--workers", "0"], "Invalid value for '--workers'"),
    "an unknown recipe": (["irsi-mlp"], "Did you mean 'iris-mlp'?"),
    "an unknown hyperparameter": (
        ["iris-mlp", "--set", "tune.droput=0.1"],
        "tune.droput (override): `droput` is neither in the search space",
    ),
    "a wrong value": (
        ["iris-mlp", "--set", "tune.dropout={low=0.5, high=0.1}"],
        "tune.dropout (override): `dropout`: `high` must be",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_input_is_exit_code_2_and_one_message(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, message = WRONG[kind]
    result = call("tune", *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def environment():
    """The environment of a user, who has set no log level."""
    found = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return {**found, "PYTHONPATH": os.getcwd(), "PYTHONUNBUFFERED": "1"}


def test_help_loads_no_keras(environment):
    code = (
        "import sys\nfrom kerasrecipes.cli.main import main\n"
        "try:\n    main(['tune', '--help'])\nfinally:\n"
        "    assert not {'keras', 'tensorflow', 'sklearn', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr


def start(environment, out, *arguments):
    """Starts a search that is stopped by the test, in a process group of its own."""
    command = [*COMMAND, "tune", "iris-mlp", *SETTINGS, "--out", str(out)]
    return subprocess.Popen(
        [*command, "--set", "fit.epochs=40", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def wait_for_trials(process, out, number):
    """Waits until so many trials of the search have ended; returns its folder."""
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    while process.poll() is None and len(list(out.glob("iris-mlp/*/trial_*/record.json"))) < number:
        threading.Event().wait(0.05)
    watchdog.cancel()
    (folder,) = (out / "iris-mlp").iterdir()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_with_what_there_is(environment, tmp_path, workers):
    process = start(environment, tmp_path, "--trials", "1000", "--workers", workers)
    folder = wait_for_trials(process, tmp_path, 2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    out = process.communicate(timeout=300)[0].decode()
    assert process.returncode == 130, out
    # JAX, if it is there, has a callback of the garbage collector, in which Python drops Ctrl-C.
    dropped = r"Exception ignored in.*?KeyboardInterrupt"
    assert "Traceback" not in re.sub(dropped, "", out, flags=re.DOTALL)
    assert "ended: Ctrl-C" in out
    metrics = read_metrics(folder)
    assert metrics["ended"] == "Ctrl-C"
    assert metrics["trials"]["completed"] >= 2
    assert runs.evaluate(folder).differences == {}


@pytest.mark.slow
def test_a_killed_search_is_shown_and_goes_on(environment, tmp_path):
    process = start(environment, tmp_path, "--trials", "40")
    folder = wait_for_trials(process, tmp_path, 2)
    process.kill()
    process.communicate()
    before = runs.load_search(folder).records
    assert 2 <= len(before) < 40
    shown = call("tune", "--show", folder)
    assert "not ended" in shown.stdout
    done = subprocess.run(
        [*COMMAND, "tune", "--resume", str(folder), "--quiet"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == f"{folder}\n"
    after = runs.load_search(folder).records
    assert len(after) == 40
    kept = [r for r in after if r.number in {b.number for b in before}]
    assert list(map(untimed, kept)) == list(map(untimed, before))


def untimed(record):
    """A record without its time: the last one before the end may have been trained again."""
    return dataclasses.replace(record, seconds=0.0)
