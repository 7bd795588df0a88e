import json
import threading
from datetime import datetime

import pytest

from kerasrecipes import InputError, _run_files
from kerasrecipes._atomic import atomic
from kerasrecipes.runs import folder

NOW = datetime(2026, 1, 2, 3, 4, 5)


def test_runs_of_the_same_second_get_folders_of_their_own(tmp_path):
    names = [folder.create(tmp_path, "mine", now=NOW).name for _ in range(3)]
    assert names == ["20260102-030405", "20260102-030405-2", "20260102-030405-3"]


def test_runs_that_start_together_never_share_a_folder(tmp_path):
    made, barrier = [], threading.Barrier(8)

    def start():
        barrier.wait()
        made.append(folder.create(tmp_path, "mine", now=NOW))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8


def test_out_must_not_be_a_file(tmp_path):
    file = tmp_path / "taken"
    file.write_text("")
    with pytest.raises(InputError, match="`out` must be a folder.*taken, where a file is"):
        folder.create(file, "mine")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "notes.txt"
    folder.write_text(path, "old")

    def fail(temporary):
        with open(temporary, "w") as file:
            file.write("half")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        folder.write_with(path, fail)
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]
    assert path.read_text() == "old"


def test_the_name_appears_only_once_the_file_is_whole(tmp_path):
    path = tmp_path / "notes.txt"
    with atomic(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.suffix == ".txt"
    assert path.read_text() == "whole"


def test_json_has_no_numbers_that_json_does_not_know(tmp_path):
    path = tmp_path / "metrics.json"
    folder.write_json(path, {"loss": float("nan"), "rows": (1, 2), "best": [float("inf"), 0.5]})
    assert json.loads(path.read_text()) == {"loss": None, "rows": [1, 2], "best": [None, 0.5]}


def test_only_a_folder_without_a_model_is_discarded(tmp_path):
    trained, untrained = tmp_path / "a", tmp_path / "b"
    for run in (trained, untrained):
        run.mkdir()
        folder.write_text(run / _run_files.RECIPE, "")
    (trained / _run_files.MODEL).write_bytes(b"")
    assert not folder.discard_untrained(trained)
    assert folder.discard_untrained(untrained)
    assert trained.exists()
    assert not untrained.exists()


def test_a_folder_must_be_that_of_a_complete_run(tmp_path):
    with pytest.raises(InputError, match="There is no run folder"):
        folder.check(tmp_path / "no")
    with pytest.raises(InputError, match="is not a run folder"):
        folder.check(tmp_path)
    folder.write_text(tmp_path / _run_files.RECIPE, "")
    with pytest.raises(InputError, match=r"not complete: it has no model.keras and no metrics"):
        folder.check(tmp_path)
    (tmp_path / _run_files.MODEL).write_bytes(b"")
    (tmp_path / _run_files.METRICS).write_text("{")
    assert folder.check(tmp_path) == tmp_path
    with pytest.raises(InputError, match=r"metrics.json is damaged"):
        folder.read_metrics(tmp_path)
