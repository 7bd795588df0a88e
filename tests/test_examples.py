"""The examples run, as notebooks; .ci/run gives one of them, as a script, its argument."""

import pytest

from tests.forked import ROOT

SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
NOTEBOOKS = ROOT / "examples" / "notebooks"


def test_notebooks_are_those_of_the_scripts():
    pytest.importorskip("nbformat", reason="needs the extra test")
    from docs.make_notebooks import notebook

    found = {path.stem: path.read_text("utf-8") for path in NOTEBOOKS.glob("*.ipynb")}
    assert found == {path.stem: notebook(path) for path in SCRIPTS}, "run `make notebooks`"


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [path.stem for path in SCRIPTS])
def test_a_notebook_runs(name):
    pytest.importorskip("ipykernel")
    client = pytest.importorskip("nbclient").NotebookClient
    import nbformat

    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    client(notebook, timeout=300, kernel_name="python3").execute()
    printed = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert printed
    assert "error" not in {out.output_type for out in printed}
