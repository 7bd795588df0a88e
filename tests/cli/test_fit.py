"""`kerasrecipes fit`."""

import pathlib

import pytest
from click.testing import CliRunner
from sklearn.datasets import load_iris

from kerasrecipes.cli.main import main

pytestmark = pytest.mark.usefixtures("plain_pictures")


def call(*arguments):
    return CliRunner().invoke(main, ["fit", *map(str, arguments)])


@pytest.fixture
def csv(tmp_path):
    load_iris(as_frame=True).frame.to_csv(tmp_path / "iris.csv", index=False)
    return tmp_path / "iris.csv"


@pytest.mark.slow
def test_a_file_in_a_run_folder_out(csv, tmp_path):
    result = call(
        csv, "--seconds", 60, "--networks", 2, "--set", "fit.epochs=2", "--out", tmp_path, "--quiet"
    )
    assert result.exit_code == 0, result.output
    folder = pathlib.Path(result.stdout.strip())
    assert folder.parent == tmp_path / "iris"
    assert (folder / "report.html").exists()


def test_wrong_input(csv):
    for arguments, message in (
        ((csv, "--target", "colour"), "`target` must name a column"),
        ((csv.with_name("no.csv"),), "`data` names nothing that is there"),
        ((csv, "--seconds", 0), "--seconds"),
        ((csv, "--set", "fit.epoch=2"), "Did you mean 'epochs'"),
    ):
        result = call(*arguments)
        assert result.exit_code == 2
        assert message in result.stderr
