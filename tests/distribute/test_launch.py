"""`launch` with programs that need no TensorFlow; with trainings, see test_faults.py."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

import kerasrecipes as kr
from kerasrecipes import _launcher, _worker_process
from kerasrecipes.cli.main import main
from tests.forked import ROOT

HEADER = """
import json, os, pathlib, signal, subprocess, sys, time
config = json.loads(os.environ["TF_CONFIG"])
index = config["task"]["index"]
here = pathlib.Path(sys.argv[1])
start = len(list(here.glob(f"start-{index}-*")))
(here / f"start-{index}-{start}").write_text(json.dumps(config["cluster"]["worker"]))
(here / f"pid-{index}-{start}").write_text(str(os.getpid()))
def wait_for_others():
    while len(list(here.glob(f"pid-*-{start}"))) < len(config["cluster"]["worker"]):
        time.sleep(0.01)
"""


@pytest.fixture
def program(tmp_path):
    """Makes a program that finds `index`, `start`, `here`; returns its command."""

    def make(code):
        path = tmp_path / "program.py"
        path.write_text(HEADER + code)
        return [str(path), str(tmp_path)]

    return make


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def assert_none_runs(folder, *, patience=0.0):
    pids = [int(path.read_text()) for path in folder.glob("pid-*")]
    assert pids
    end = time.monotonic() + patience
    while any(is_running(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    assert not any(is_running(pid) for pid in pids)


def test_workers_have_addresses_cores_and_names(program, tmp_path, capfd):
    code = """
cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
(here / f"cores-{index}").write_text(json.dumps(cores))
print(f"out {index}")
print(f"err {index}", file=sys.stderr)
"""
    command = program(code)
    kr.distribute.launch(command, workers=3, verbose=True)
    said = capfd.readouterr()
    assert sorted(said.out.splitlines()) == ["[worker 1] out 1", "[worker 2] out 2", "out 0"]
    assert sorted(said.err.splitlines()) == ["[worker 1] err 1", "[worker 2] err 2", "err 0"]
    addresses = {(tmp_path / f"start-{index}-0").read_text() for index in range(3)}
    assert len(addresses) == 1
    assert len(set(json.loads(addresses.pop()))) == 3
    kr.distribute.launch(command, workers=2)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("out 0\n", "err 0\n")
    if len(all_cores := os.sched_getaffinity(0)) >= 2:
        mine, others = (json.loads((tmp_path / f"cores-{i}").read_text()) for i in (0, 1))
        assert len(mine) == len(others) == len(all_cores) // 2
        assert not set(mine) & set(others)
        assert os.sched_getaffinity(0) == all_cores


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [(["0", "1", "2", "3", "4"], ["0,1", "2,3"]), (["GPU-a"], ["-1", "-1"]), ([], [None, None])],
)
def test_gpus_are_shared_if_there_is_one_for_each(monkeypatch, gpus, expected):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(_worker_process, "_gpus", lambda: gpus)
    said = []
    found = [
        env.get("CUDA_VISIBLE_DEVICES")
        for env, _ in _worker_process.environments(2, {}, said.append)
    ]
    assert found == expected
    assert said == (
        ["2 workers need as many GPUs, and there are 1: all use the CPU."] if len(gpus) == 1 else []
    )


def test_gpus_are_those_that_are_visible(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert _worker_process._gpus() == ["2", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert _worker_process._gpus() == []


def test_a_worker_that_fails_is_named_and_ends_the_others(program, tmp_path):
    command = program("""
wait_for_others()
if index == 1:
    print("what went wrong", file=sys.stderr)
    sys.exit(7)
time.sleep(60)
""")
    began = time.monotonic()
    with pytest.raises(kr.distribute.ClusterError) as error:
        kr.distribute.launch(command, workers=2)
    assert time.monotonic() - began < 20
    assert str(error.value) == (
        "Worker 1 ended with exit code 7. Its last lines:\n  what went wrong"
    )
    assert_none_runs(tmp_path)


def test_a_deaf_worker_and_what_it_started_are_killed(program, tmp_path, monkeypatch):
    monkeypatch.setattr(_launcher, "_GRACE", 0.3)
    command = program("""
if index == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (here / "pid-child").write_text(str(child.pid))
    (here / f"pid-0-{start}").write_text(str(os.getpid()))
    time.sleep(60)
while not (here / "pid-child").exists():
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
""")
    with pytest.raises(kr.distribute.ClusterError, match="Worker 1 was killed by SIGKILL, which"):
        kr.distribute.launch(command, workers=2)
    assert_none_runs(tmp_path, patience=5)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_frozen_worker_is_named_and_killed(program, tmp_path, monkeypatch):
    monkeypatch.setattr(_launcher, "_GRACE", 0.3)
    command = program("""
wait_for_others()
if index == 1:
    os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(0.5)
sys.exit("worker 1 is silent")
""")
    with pytest.raises(kr.distribute.ClusterError) as error:
        kr.distribute.launch(command, workers=2)
    assert str(error.value) == (
        "Worker 0 (the chief) ended with exit code 1. Worker 1 was frozen (SIGSTOP), and was "
        "killed. Its last lines:\n  worker 1 is silent"
    )
    assert_none_runs(tmp_path)


def test_restarts_have_other_ports(program, tmp_path, capfd):
    command = program("""
wait_for_others()
if start < 2 and index == 1:
    sys.exit(3)
if start < 2:
    time.sleep(60)
print("done")
""")
    kr.distribute.launch(command, workers=2, restarts=5)
    said = capfd.readouterr()
    assert said.out == "done\n"
    again = [line for line in said.err.splitlines() if "start again" in line]
    assert again == [f"All workers start again: restart {n} of 5." for n in (1, 2)]
    ports = [(tmp_path / f"start-0-{n}").read_text() for n in range(3)]
    assert len(set(ports)) == 3
    assert_none_runs(tmp_path)


def test_restarts_end(program, tmp_path):
    with pytest.raises(kr.distribute.ClusterError, match="All workers ended with exit code 3"):
        kr.distribute.launch(program("wait_for_others(); sys.exit(3)"), workers=2, restarts=2)
    assert len(list(tmp_path.glob("start-0-*"))) == 3


def test_wrong_usage_is_not_tried_again(program, tmp_path):
    result = CliRunner().invoke(
        main,
        [
            "launch",
            "--workers",
            "2",
            "--restarts",
            "2",
            "--",
            *program("wait_for_others(); sys.exit(2)"),
        ],
    )
    assert result.exit_code == 2
    assert len(list(tmp_path.glob("start-0-*"))) == 1


def test_the_command_gives_the_exit_code_and_does_not_repeat_the_chief(program):
    chief = program("time.sleep(9 * index); print('oh', file=sys.stderr); sys.exit(5)")
    result = CliRunner().invoke(main, ["launch", "--workers", "2", "--", *chief])
    assert result.exit_code == 5
    assert result.output.endswith("Error: Worker 0 (the chief) ended with exit code 5.\n")
    other = program("time.sleep(9 * (1 - index)); print('oh', file=sys.stderr); sys.exit(5)")
    result = CliRunner().invoke(main, ["launch", "--workers", "2", "--", *other])
    assert result.output.endswith("Worker 1 ended with exit code 5. Its last lines:\n  oh\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"command": []}, "`command` must be a list such as"),
        ({"command": "train.py"}, "`command` must be a list such as"),
        ({"command": [3]}, "`command` must be a list such as"),
        ({"command": ["nowhere.py"]}, "`command` must be a Python file that exists"),
        ({"workers": 0}, "`workers` must be an integer >= 1"),
        ({"restarts": -1}, "`restarts` must be an integer >= 0"),
        ({"timeout": 0}, "`timeout` must be a number > 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(kr.InputError) as error:
        kr.distribute.launch(**{"command": ["list"], "workers": 2, **arguments})
    assert message in str(error.value)


SLEEPS = """
import threading
def stop(number, frame):
    (here / f"told-{index}").write_text(str(number))
    if number == signal.SIGINT:
        time.sleep(1)  # validation, saving
    sys.exit(128 + number)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, stop)
(here / f"pid-{index}-{start}").write_text(str(os.getpid()))
(here / f"ready-{index}").write_text("")
time.sleep(60)
"""


def start(command, *options):
    arguments = [sys.executable, "-m", "kerasrecipes.cli", "launch", "--workers", "2", *options]
    return subprocess.Popen(
        [*arguments, "--", *command], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )


def wait_until(found, seconds=20):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_end_all_workers_in_their_own_way(program, tmp_path, number, code):
    with start(program(SLEEPS), "--restarts", "3", "--timeout", "10") as process:
        wait_until(lambda: len(list(tmp_path.glob("ready-*"))) == 2)
        process.send_signal(number)
        assert process.wait(20) == code
        assert process.stderr.read() == ("Interrupted.\n" if code == 130 else "")
    assert_none_runs(tmp_path)
    assert [(tmp_path / f"told-{i}").read_text() for i in (0, 1)] == [str(int(number))] * 2
    assert len(list(tmp_path.glob("start-0-*"))) == 1


DEAF = """
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
(here / f"ready-{index}").write_text("")
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("numbers", "code"), [((signal.SIGINT, signal.SIGINT), 130), ((signal.SIGTERM,), 143)]
)
def test_deaf_workers_are_killed(program, tmp_path, numbers, code):
    with start(program(DEAF), "--timeout", "0.5") as process:
        wait_until(lambda: len(list(tmp_path.glob("ready-*"))) == 2)
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.3)
        assert process.wait(20) == code
    assert_none_runs(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux does this")
def test_a_killed_launch_leaves_nothing_running(program, tmp_path):
    with start(program(DEAF)) as process:
        wait_until(lambda: len(list(tmp_path.glob("ready-*"))) == 2)
        process.kill()
    assert_none_runs(tmp_path, patience=5)
