"""What happens to a training when one of its workers is killed, freezes, or was told otherwise."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.forked import ROOT
from tests.workers import Workers, tf_config

FAULTS = ["SIGKILL:1", "SIGSTOP:1", "SIGKILL:0"]
LIMIT = 30.0  # seconds until all workers have ended


def launch(out, *faults, restarts=0):
    """Launches the training; returns its exit code, its lines, and when each of these came."""
    out.mkdir()
    program = [str(ROOT / "tests" / "launched_program.py"), str(out), *faults]
    command = [sys.executable, "-m", "kerasrecipes.cli", "launch", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--restarts", str(restarts), "--", *program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(400, process.kill)
    watchdog.start()
    with process:
        lines = [(line, time.time()) for line in process.stderr]
    watchdog.cancel()
    return process.returncode, *zip(*lines, strict=True)


def read(path):
    return json.loads(path.read_text())


@pytest.mark.multi_device
@pytest.mark.slow
def test_restarts_after_each_fault_end_as_the_training_without_faults(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    code, lines, _ = launch(whole)
    assert code == 0, "".join(lines)[-4000:]
    code, lines, times = launch(broken, *FAULTS, restarts=3)
    assert code == 0, "".join(lines)[-4000:]
    said = [line for line in lines if line.startswith("launch: ")]
    assert said[0].startswith("launch: Worker 1 was killed by SIGKILL")
    assert "Worker 1 was frozen (SIGSTOP), and was killed." in said[1]
    assert said[2].startswith("launch: Worker 0 (the chief) was killed by SIGKILL")
    for line, fault in zip(said, FAULTS, strict=True):
        assert times[lines.index(line)] - read(broken / f"fault-{fault}") < LIMIT, fault
    for path in broken.glob("start-*"):
        with pytest.raises(ProcessLookupError):
            os.kill(read(path), 0)
    one, two = (read(broken / f"end-{index}.json") for index in (0, 1))
    assert one == two
    assert one.pop("resumed") == [3, 0]
    expected, other = (read(whole / f"end-{index}.json") for index in (0, 1))
    assert expected == other
    assert expected.pop("resumed") is None
    assert one == expected


def children(pid):
    """Returns the processes that a process has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


@pytest.mark.multi_device
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_a_restarted_train_goes_on_in_its_run_folder(tmp_path):
    command = [sys.executable, "-m", "kerasrecipes.cli", "launch", "--workers", "2"]
    train = ["train", "iris-mlp", "--set", "fit.epochs=12", "--set", "fit.patience=12"]
    process = subprocess.Popen(
        [*command, "--restarts", "1", "--", *train, "--out", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(400, process.kill)
    watchdog.start()
    with process:
        while process.poll() is None and not list(tmp_path.glob("iris-mlp/*/checkpoint/*-*")):
            time.sleep(0.1)
        os.kill(children(process.pid)[-1], signal.SIGKILL)
        lines = process.stderr.read()
    watchdog.cancel()
    assert process.returncode == 0, lines[-4000:]
    assert "All workers start again: restart 1 of 1." in lines
    (run,) = (tmp_path / "iris-mlp").iterdir()
    metrics = read(run / "metrics.json")
    assert metrics["resumed"].startswith("after epoch ")
    assert metrics["epochs"]["run"] == 12
    assert not (run / "checkpoint").exists()


FROZEN = """
import signal
from kerasrecipes.distribute._lost_worker import lost_worker

class Freeze(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 20 and index == 1:
            say("freezes")
            os.kill(os.getpid(), signal.SIGSTOP)

strategy = kr.distribute.strategy(verbose=False)
with strategy.scope():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
x = np.zeros((3200, 4), "float32")
try:
    with lost_worker(model):
        model.fit(x, x[:, :1], batch_size=16, verbose=0, epochs=100, callbacks=[Freeze()])
except kr.distribute.ClusterError as error:
    report(error=str(error), cause=type(error.__cause__).__name__)
    say("has ended")
    raise
"""


@pytest.mark.multi_device
@pytest.mark.slow
def test_a_frozen_worker_is_a_clear_error_on_all():
    with Workers(FROZEN) as cluster:
        cluster.wait_for(1, "freezes")
        began = time.monotonic()
        cluster.processes[0].join(LIMIT)
        cluster.signal(1, signal.SIGCONT)
        assert cluster.codes(timeout=LIMIT - (time.monotonic() - began)) == [1, 1]
        for index in (0, 1):
            found = json.loads(cluster.output(index).split("REPORT ")[1].splitlines()[0])
            assert found["error"].startswith("A worker is gone or does not answer, so this one, ")
            assert f"worker {index}," in found["error"]
            assert found["cause"] in ("UnavailableError", "InternalError", "AbortedError")


TOLD = """
try:
    kr.distribute.strategy("multi_worker", timeout=20, verbose=False)
except (kr.distribute.ClusterError, kr.InputError) as error:
    report(error=str(error))
"""


@pytest.mark.multi_device
def test_a_wrong_tf_config_is_a_clear_error_on_all():
    with Workers(TOLD, start=[0]) as cluster:
        cluster.env["TF_CONFIG"] = tf_config([cluster.addresses[0], "127.0.0.1:1"], 1)
        cluster.start(1)
        began = time.monotonic()
        one, two = cluster.reports(timeout=LIMIT)
        assert time.monotonic() - began < LIMIT
    assert one == two
    assert one["error"].startswith("`workers` must be the same on all workers. The chief has")
