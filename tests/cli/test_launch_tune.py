"""`kerasrecipes launch --tune`: the processes of a search on this machine."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from kerasrecipes import runs
from kerasrecipes._checks import InputError
from kerasrecipes.distribute import ClusterError, launch
from tests.forked import ROOT

ROLES = "KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"
TRIALS = 48  # three times what a worker gets at once, so that both losses come in the middle
SEARCH = [
    *(
        "tune",
        "iris-mlp",
        "--trials",
        str(TRIALS),
        "--set",
        "fit.epochs=3",
        "--set",
        "tune.units=[4, 8]",
    ),
    *("--set", "tune.layers=1", "--set", 'tune.only=["units", "dropout"]'),
]


@pytest.fixture
def program(tmp_path):
    def make(code):
        script = tmp_path / "program.py"
        head = f"import os, pathlib, sys, time\nfolder = pathlib.Path({str(tmp_path)!r})\n"
        script.write_text(f"{head}name = os.environ['KERASTUNER_TUNER_ID']\n{code}")
        return [str(script)]

    return make


def test_chief_and_workers_know_who_they_are(program, tmp_path):
    code = "(folder / name).write_text(repr({**os.environ, 'cores': len(os.sched_getaffinity(0))}))"
    launch(program(code), workers=2, tune=True)
    told = {name: eval((tmp_path / name).read_text()) for name in ("chief", "worker-1", "worker-2")}
    assert {name: env["KERASTUNER_TUNER_ID"] for name, env in told.items()} == {n: n for n in told}
    for variable in ROLES[1:]:
        assert len({env[variable] for env in told.values()}) == 1
    assert not any("TF_CONFIG" in env for env in told.values())
    cores = os.cpu_count() if sys.platform != "linux" else len(os.sched_getaffinity(0))
    assert told["chief"]["cores"] == cores
    assert told["worker-1"]["cores"] == max(1, cores // 2 if cores > 1 else 1)


def test_a_lost_worker_leaves_the_others_alone_and_starts_again(program, tmp_path, capfd):
    code = """
starts = folder / f"{name}-starts"
starts.write_text(starts.read_text() + "x" if starts.exists() else "x")
if name == "worker-1" and starts.read_text() == "x":
    raise SystemExit(3)
other = folder / "worker-1-starts"
while not other.exists() or other.read_text() != "xx":
    time.sleep(0.01)
"""
    launch(program(code), workers=2, restarts=1, tune=True)
    counts = {p.name: p.read_text() for p in tmp_path.glob("*-starts")}
    assert counts == {"chief-starts": "x", "worker-1-starts": "xx", "worker-2-starts": "x"}
    assert "Worker 1 ended with exit code 3. It starts again." in capfd.readouterr().err


def test_the_chief_starts_again(program, tmp_path, capfd):
    code = """
if name == "chief" and not (folder / "seen").exists():
    (folder / "seen").touch()
    os.kill(os.getpid(), 9)
"""
    launch(program(code), workers=1, restarts=1, tune=True)
    assert "Worker 0 (the chief) was killed by SIGKILL" in capfd.readouterr().err


def test_without_any_worker_it_ends(program):
    code = "if name == 'chief':\n    time.sleep(60)\nraise SystemExit('no data')"
    with pytest.raises(ClusterError, match=r"Worker [12] ended with exit code 1(.|\n)*no data"):
        launch(program(code), workers=2, tune=True)


def test_a_chief_that_fails_is_the_failure(program):
    code = "if name == 'chief':\n    raise SystemExit(2)\ntime.sleep(60)"
    with pytest.raises(ClusterError, match=r"the chief\) ended with exit code 2"):
        launch(program(code), workers=1, restarts=3, tune=True)


def test_wrong_arguments(program):
    with pytest.raises(InputError, match="`tune` must be True or False"):
        launch(program(""), workers=1, tune="yes")
    with pytest.raises(InputError, match="`workers`"):
        launch(program(""), workers=0, tune=True)


def processes_of(launcher):
    """Returns the number of each process of the launcher's search, by its name there."""
    found = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            env = dict(
                line.split("=", 1) for line in (entry / "environ").read_text().split("\0") if line
            )
        except (OSError, ValueError):
            continue
        if parent == launcher and ROLES[0] in env:
            found[env[ROLES[0]]] = int(entry.name)
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_search_survives_the_loss_of_a_worker_and_of_the_chief(tmp_path):
    command = [sys.executable, "-m", "kerasrecipes.cli", "launch", "--tune", "--workers", "2"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(
        [*command, "--restarts", "2", "--", *SEARCH, "--out", str(tmp_path), "--quiet"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for victim in ("worker-1", "chief"):
            ended = len(list(tmp_path.glob("*/*/trial_*/record.json")))
            while process.poll() is None:
                if len(list(tmp_path.glob("*/*/trial_*/record.json"))) > ended:
                    break
                time.sleep(0.05)
            os.kill(processes_of(process.pid)[victim], signal.SIGKILL)
        out, error = process.communicate(timeout=240)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, error
    assert "Worker 1 was killed by SIGKILL" in error
    assert "Worker 0 (the chief) was killed by SIGKILL" in error
    (folder,) = tmp_path.glob("*/*")
    assert out == f"{folder}\n"
    assert len(runs.load_search(folder).records) == TRIALS
    assert json.loads((folder / "metrics.json").read_text())["trials"]["completed"] == TRIALS
    assert processes_of(process.pid) == {}
