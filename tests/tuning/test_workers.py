"""Searches over several processes and hosts, of which some die."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._worker_process import free_ports
from tests.forked import ROOT
from tests.tuning import searched

PROGRAM = """
import json, os, sys, time
from tests.tuning import searched
from kerasrecipes.tuning import _trainer
train = _trainer.Trainer.train
def told(self, runner, tasks, deadline):
    print("TASKS " + " ".join(task.trial_id for task in tasks), flush=True)
    if os.environ.get("SLOW"):
        time.sleep(float(os.environ["SLOW"]))
    return train(self, runner, tasks, deadline)
_trainer.Trainer.train = told
if __name__ == "__main__":
    result = searched.run(sys.argv[1], trials=8, population=2, **json.loads(sys.argv[2]))
    print("RESULT " + json.dumps(searched.facts(result)), flush=True)
"""


class Group:
    """Processes of one search, none of which is left running."""

    def __init__(self, folder, arguments="{}", **env):
        self.folder, self.arguments = folder, arguments
        self.script = folder.parent / "program.py"
        self.script.write_text(PROGRAM)
        self.env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(free_ports(1)[0]),
            "KERASRECIPES_PATIENCE": "60",
            **env,
        }
        self.processes = []

    def start(self, name, **env):
        process = subprocess.Popen(
            [sys.executable, str(self.script), str(self.folder), self.arguments],
            env={**self.env, "KERASTUNER_TUNER_ID": name, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def facts(process):
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error[-3000:]
    line = next(line for line in out.splitlines() if line.startswith("RESULT "))
    return json.loads(line.removeprefix("RESULT "))


def assert_same(found, expected):
    assert [each[:4] for each in found] == [[*each[:3], list(each[3])] for each in expected]
    for (*_, curves), (*_, others) in zip(found, expected, strict=True):
        np.testing.assert_allclose(curves, others, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    result = searched.run(tmp_path_factory.mktemp("whole") / "s", trials=8, population=2)
    return searched.facts(result)


@pytest.mark.multi_device
@pytest.mark.slow
def test_hosts_come_and_go(tmp_path, whole):
    with Group(tmp_path / "s") as group:
        chief, lost = group.start("chief"), group.start("one", SLOW="60")
        assert lost.stdout.readline().startswith("TASKS ")
        frozen = group.start("two", SLOW="60")
        assert frozen.stdout.readline().startswith("TASKS ")
        lost.kill()
        frozen.send_signal(signal.SIGSTOP)
        helper = group.start("three")
        assert_same(facts(chief), whole)
        assert_same(facts(helper), whole)


@pytest.mark.multi_device
@pytest.mark.slow
def test_the_chief_is_killed_and_started_again(tmp_path, whole):
    with Group(tmp_path / "s") as group:
        chief, worker = group.start("chief"), group.start("one", SLOW="0.5")
        for _ in range(2):
            assert worker.stdout.readline().startswith("TASKS ")
        chief.kill()
        again = group.start("chief")
        assert_same(facts(again), whole)
        assert_same(facts(worker), whole)


@pytest.mark.multi_device
def test_nobody_waits_for_ever(tmp_path):
    with Group(tmp_path / "s", KERASRECIPES_PATIENCE="2") as group:
        for name, message in (("chief", "No worker has been there"), ("one", "cannot be reached")):
            process = group.start(name)
            _, error = process.communicate(timeout=60)
            assert process.returncode == 1
            assert message in error, error[-3000:]


@pytest.mark.parametrize("missing", ["KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"])
def test_variables_that_are_missing_are_told(tmp_path, monkeypatch, missing):
    for name in ("KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"):
        monkeypatch.setenv(name, "8000")
    monkeypatch.delenv(missing)
    with pytest.raises(kr.InputError, match=missing):
        searched.run(tmp_path / "s")


LOCAL = """
import os, signal, sys, time
from tests.tuning import searched
from kerasrecipes.tuning import _trainer
train = _trainer.Trainer.train
def dies(self, runner, tasks, deadline):
    if any(task.trial_id in sys.argv[2].split(",") for task in tasks):
        first = sys.argv[1] + ".died-" + tasks[0].trial_id
        if sys.argv[3] == "always" or not os.path.exists(first):
            open(first, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
    return train(self, runner, tasks, deadline)
_trainer.Trainer.train = dies
if __name__ == "__main__":
    result = searched.run(
        sys.argv[1], trials=4, population=1, workers=2, isolate=sys.argv[4] == "isolate"
    )
    for record in result.records:
        print(record.number, record.status, record.message)
"""


@pytest.mark.multi_device
@pytest.mark.slow
@pytest.mark.parametrize(
    ("dying", "how", "isolate", "failed"),
    [("0001", "once", "no", []), ("0002", "always", "isolate", [3])],
)
def test_a_process_that_dies_takes_no_other_with_it(tmp_path, dying, how, isolate, failed):
    script = tmp_path / "local.py"
    script.write_text(LOCAL)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "s"), dying, how, isolate],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert [int(number) for number, *_ in lines] == [1, 2, 3, 4]
    assert [int(number) for number, status, _ in lines if status == "failed"] == failed
    if failed:
        assert "ended with exit code -9, 2 times" in done.stdout


def test_what_cannot_be_sent_is_told(tmp_path):
    began = time.monotonic()
    with pytest.raises(kr.InputError, match="another process can import"):
        searched.run(tmp_path / "s", workers=2, callbacks=lambda: [])
    assert time.monotonic() - began < 60


@pytest.mark.slow
def test_isolated_trials_have_the_environment_of_their_search(tmp_path, monkeypatch):
    told = tmp_path / "told"
    monkeypatch.setenv("TOLD", str(told))
    for said in ("first", "second", None):  # the processes are forks of one that started before
        monkeypatch.delenv("SAID", raising=False)
        if said:
            monkeypatch.setenv("SAID", said)
        more = {"isolate": True, "callbacks": searched.tells_the_environment, "epochs": 1}
        searched.run(tmp_path / str(said), trials=1, **more)
        assert told.read_text() == (said or "nothing")
