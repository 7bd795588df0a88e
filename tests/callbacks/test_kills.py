"""Trainings that are killed at random moments, also while they save, and started again."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def kill(folder, *, kills, every, replicas=1, name="SIGKILL"):
    command = [sys.executable, "-m", "tests.training_program", str(folder), str(kills)]
    done = subprocess.run(
        [*command, every, str(replicas), name],
        capture_output=True,
        text=True,
        timeout=900,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("REPORT "))
    report = json.loads(line.removeprefix("REPORT "))
    assert report["crashed"] <= (replicas > 1), done.stderr[-4000:]
    return report


@pytest.mark.slow
def test_r2_killed_at_fifty_random_moments_it_ends_bit_for_bit_as_if_never(tmp_path):
    report = kill(tmp_path, kills=50, every="3 updates")
    assert report["killed"] >= 50
    assert all(report["equal"]), report


@pytest.mark.slow
def test_terminated_it_saves_and_exits(tmp_path):
    report = kill(tmp_path, kills=4, every="2 epochs", name="SIGTERM")
    assert report["killed"] >= 4
    assert all(report["equal"]), report


@pytest.mark.slow
@pytest.mark.multi_device
def test_r2_under_two_replicas(tmp_path):
    report = kill(tmp_path, kills=5, every="3 updates", replicas=2)
    assert report["killed"] >= 5
    assert all(report["equal"]), report
