import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning._lock import locked
from tests.tuning.searched import held_by_another


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path):
    with held_by_another(tmp_path):
        with pytest.raises(InputError, match="`directory` is in use"), locked(tmp_path):
            pytest.fail("it was let in")
    with locked(tmp_path), locked(tmp_path):  # what `tune` writes around its search is in it too
        pass


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can be written to"), locked(tmp_path / "file" / "s"):
        pass
