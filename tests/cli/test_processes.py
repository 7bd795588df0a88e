"""The command in processes of its own: signals, exit codes, and what it imports."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from kerasrecipes import runs
from kerasrecipes.cli.main import main
from kerasrecipes.runs.folder import read_metrics

COMMAND = [sys.executable, "-m", "kerasrecipes.cli"]
ENDLESS = ["--set", "fit.epochs=100000", "--set", "fit.patience=100000"]


@pytest.fixture
def environment():
    """The environment of a user, who has set no log level."""
    found = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return {**found, "PYTHONPATH": os.getcwd(), "PYTHONUNBUFFERED": "1"}


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["train", "-h"]])
def test_what_needs_no_keras_does_not_load_it(arguments, environment):
    code = (
        "import sys\nfrom kerasrecipes.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n"
        "    assert not {'keras', 'tensorflow', 'sklearn', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, timeout=180
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_training_writes_nothing_but_its_own_lines(environment, tmp_path):
    command = [*COMMAND, "train", "iris-mlp", "--set", "fit.epochs=1", "--quiet"]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0
    assert done.stderr == ""
    folder = tmp_path / done.stdout.rstrip("\n")
    assert folder.parent == tmp_path / "runs" / "iris-mlp"
    assert (folder / "metrics.json").is_file()


def watch(process, epoch, act):
    """Returns what a training printed; calls `act` when it has finished `epoch`."""
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    lines = []
    with process:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("epoch ") and line.split()[1].startswith(f"{epoch}/"):
                act()
    watchdog.cancel()
    return "".join(lines)


def start(environment, out):
    return subprocess.Popen(
        [*COMMAND, "train", "iris-mlp", *ENDLESS, "--out", str(out)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
def test_ctrl_c_saves_everything_with_the_best_weights(environment, tmp_path):
    process = start(environment, tmp_path)
    out = watch(process, 3, lambda: process.send_signal(signal.SIGINT))
    assert process.returncode == 130
    assert "Interrupted in epoch" in out
    assert "Traceback" not in out
    (folder,) = (tmp_path / "iris-mlp").iterdir()
    metrics = read_metrics(folder)
    assert metrics["interrupted"]
    assert metrics["epochs"]["run"] < 100
    assert metrics["epochs"]["best"] <= metrics["epochs"]["run"]
    assert runs.evaluate(folder).differences == {}


BEFORE = """
import os, signal, sys, threading
from kerasrecipes.cli import train
from kerasrecipes.cli.main import main
load = train.quiet_import
def interrupted_load(module):
    threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT)).start()
    return load(module)
train.quiet_import = interrupted_load
main(["train", "digits-mlp", "--out", sys.argv[1]])
"""


def test_ctrl_c_before_training_leaves_nothing(environment, tmp_path):
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", BEFORE, str(out)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 130
    assert done.stderr == "Interrupted.\n"
    assert done.stdout == ""
    assert not out.exists()


@pytest.mark.slow
def test_a_run_that_is_killed_still_says_what_it_was(environment, tmp_path):
    process = start(environment, tmp_path)
    watch(process, 2, process.kill)
    (folder,) = (tmp_path / "iris-mlp").iterdir()
    assert {path.name for path in folder.iterdir()} == {"recipe.toml", "checkpoint"}
    assert runs.read(folder / "recipe.toml").fit["epochs"] == 100000


@pytest.mark.slow
def test_a_killed_run_goes_on(environment, tmp_path):
    def train(*arguments):
        command = [*COMMAND, "train", *map(str, arguments), "--quiet"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)

    settings = ["--set", "fit.epochs=40", "--set", "fit.patience=40"]
    overrides = {"fit.epochs": 40, "fit.patience": 40}
    whole = runs.train("iris-mlp", overrides=overrides, out=tmp_path / "whole", quiet=True).folder
    command = [*COMMAND, "train", "iris-mlp", *settings, "--out", str(tmp_path / "killed")]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    watch(process, 5, process.terminate)
    (killed,) = (tmp_path / "killed" / "iris-mlp").iterdir()
    assert not (killed / "metrics.json").exists()
    done = train("--resume", killed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(killed)
    history = (killed / "history.csv").read_text()
    assert history == (whole / "history.csv").read_text()
    with pytest.raises(SystemExit) as stop:
        main(["train", "--resume", str(killed)])
    assert stop.value.code == 2
