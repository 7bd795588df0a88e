import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from kerasrecipes import _recipe_files
from kerasrecipes.cli.main import main
from tests.forked import ROOT

OLD, NEW = "runs/wine-mlp/20260101-000000", "runs/iris-mlp/20260102-000000"
SEARCH = "searches/iris-mlp/20260103-000000"
SHIPPED = list(_recipe_files.shipped())


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with two runs, one of which can go on, a search and a recipe."""
    for path in (f"{OLD}/recipe.toml", f"{NEW}/recipe.toml", f"{SEARCH}/search.json", "mine.toml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / OLD / "checkpoint").mkdir()
    monkeypatch.chdir(tmp_path)


def completed(*arguments):
    """Returns what the last argument may become, as (type, value)."""
    shell = ShellComplete(main, {}, "kerasrecipes", "_KERASRECIPES_COMPLETE")
    items = shell.get_completions(list(arguments[:-1]), arguments[-1])
    return [(item.type, item.value) for item in items]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        *([(command, ""), [*SHIPPED, "mine.toml"]] for command in ("train", "tune", "show")),
        *([(command, "iri"), ["iris-mlp"]] for command in ("check", "copy", "find-lr")),
        *([(command, ""), [NEW, OLD]] for command in ("evaluate", "predict", "export")),
        (("report", NEW, "runs/w"), [OLD]),
        (("diagnose", "runs/i"), [NEW]),
        (("train", "--resume", ""), [OLD]),
        (("tune", "--resume", "se"), [SEARCH]),
        (("tune", "--show", ""), [SEARCH]),
    ],
)
def test_names_and_folders_complete(arguments, expected):
    assert completed(*arguments) == [("plain", each) for each in expected]


@pytest.mark.parametrize(
    "arguments",
    [("validate", "other/"), ("evaluate", "elsewhere/"), ("predict", NEW, ""), ("fit", "")],
)
def test_elsewhere_the_shell_looks_for_files(arguments):
    assert completed(*arguments) == [("file", arguments[-1])]


def test_a_shell_gets_its_answer_without_keras():
    code = (
        "import sys; from kerasrecipes.cli.main import main\n"
        "try: main(prog_name='kerasrecipes')\n"
        "finally: print({'keras', 'tensorflow', 'numpy'} & set(sys.modules))"
    )
    words = {"COMP_WORDS": "kerasrecipes train wine", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **words, "_KERASRECIPES_COMPLETE": "bash_complete"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == ["plain,wine-mlp", "set()"], done.stderr
