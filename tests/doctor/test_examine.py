"""The whole examination, and what happens to probes that fail, hang or come too late."""

import json
import pathlib
import re

import pytest
from click.testing import CliRunner

from kerasrecipes import InputError, doctor
from kerasrecipes.cli.main import main
from kerasrecipes.doctor._jobs import Job, answers
from kerasrecipes.doctor._known import KNOWN

ROOT = pathlib.Path(__file__).resolve().parents[2]
FACTS = "environment.facts"


def ask(*jobs, seconds=60.0):
    return answers(jobs, seconds=seconds, done=lambda jobs, of: None)


@pytest.mark.slow
@pytest.mark.multi_device
def test_the_installed_keras_has_the_faults_of_the_table():
    ended = []
    found = doctor.examine(seconds=240, done=lambda jobs, of: ended.append((jobs, of)))
    assert {fault.id: (fault.state, fault.seen) for fault in found.faults} == {
        fault.id: ("has it", fault.seen) for fault in found.faults
    }
    assert ended[-1] == (len(ended), len(ended))
    works = {strategy.name: strategy.trains for strategy in found.strategies}
    assert works.pop("MultiWorkerMirroredStrategy, two worker processes") is False
    assert works["the same through kr.distribute, two worker processes"]
    assert works["OneDeviceStrategy"]
    assert works["MirroredStrategy"]
    assert found.versions["keras"]
    assert found.devices[0].name == "CPU:0"
    assert found["D4"].seen in str(found)
    assert json.loads(found.to_json())["faults"][0]["id"] == "D1"


def test_the_faults_are_those_of_the_documentation():
    page = (ROOT / "docs" / "defects.md").read_text()
    ids = re.findall(r"^\| ([A-Z]\d+) \|", page, re.MULTILINE)
    assert [known.id for known in KNOWN] == ids


def test_what_comes_too_late_is_not_probed():
    found = doctor.examine(seconds=0.5)
    assert found.count("not probed") == len(found.faults)
    assert found["C2"].seen == "no time was left"
    assert found.versions["kerasrecipes"]
    assert not found.strategies[0].made


@pytest.mark.slow
def test_a_probe_that_fails_takes_no_other_with_it():
    found = ask(Job(("no_such.probe", FACTS)))
    assert found["no_such.probe"][0]["error"].startswith("ModuleNotFoundError")
    assert found[FACTS][0]["found"]["versions"]["keras"]


@pytest.mark.slow
def test_a_probe_that_hangs_is_ended():
    assert ask(Job((FACTS,), limit=0.01))[FACTS] == [{"error": "no answer in time"}]


@pytest.mark.extra
def test_replicas_are_not_probed_on_another_backend(monkeypatch):
    pytest.importorskip("jax")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    found = ask(Job((FACTS, "replica_models.built_outside", "monitors.direction")))
    assert found[FACTS][0]["found"]["versions"]["backend"] == "jax"
    assert found["replica_models.built_outside"][0]["error"].endswith("and this is jax")
    assert found["monitors.direction"][0]["found"]["there"]


@pytest.mark.parametrize("seconds", [0, -1, "60", float("nan")])
def test_bad_seconds(seconds):
    with pytest.raises(InputError, match="`seconds`"):
        doctor.examine(seconds=seconds)


SOME = doctor.Examination(
    {"keras": "3.15.1", "wandb (optional)": None},
    (doctor.Device("GPU:0", "a make", 8 * 2**30),),
    (doctor.Strategy("MirroredStrategy", made=True, trains=False, seen="ValueError: [no]"),),
    (
        doctor.Fault("D2", "Clipped too early", "has it", "norm 2.0 instead of 1.0", "ours"),
        doctor.Fault("C2", "NaN is best", "mended", "epoch 2 of 5", "ours"),
        doctor.Fault("T1", "TensorBoard", "not probed", "no answer in time", "ours"),
    ),
    12.0,
)


def test_the_command_shows_tables_and_writes_json(tmp_path, monkeypatch):
    asked = {}

    def examine(seconds, done):
        asked["seconds"] = seconds
        done(1, 2)
        return SOME

    monkeypatch.setattr(doctor, "examine", examine)
    file = tmp_path / "doctor.json"
    result = CliRunner().invoke(main, ["doctor", "--json", str(file), "--seconds", "90"])
    assert result.exit_code == 0, result.output
    assert asked == {"seconds": 90}
    shown = " ".join(result.stdout.split())
    for part in (
        "8.0 GiB",
        "not installed",
        "made, does not train",
        "ValueError: [no]",
        "norm 2.0 instead of 1.0",
        "have 1 of 3 known faults; 1 are mended, 1 could not be probed",
        f"Written: {file}",
    ):
        assert part in shown, part
    assert json.loads(file.read_text()) == json.loads(SOME.to_json())


def test_the_command_refuses_a_folder_that_does_not_exist(tmp_path):
    result = CliRunner().invoke(main, ["doctor", "--json", str(tmp_path / "none" / "a.json")])
    assert result.exit_code == 2
    assert "--json: there is no folder" in result.stderr
