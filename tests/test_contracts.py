"""The rules of the house that a machine can check."""

import ast
import importlib
import inspect
import pathlib
import re
import subprocess
import sys

import pytest

from tests.harness import representative

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "kerasrecipes"
MODULES = sorted(PACKAGE.rglob("*.py"))
LEVELS = [
    {
        "_arrays",
        "_atomic",
        "_checks",
        "_devices",
        "_epoch_order",
        "_export",
        "_find",
        "_fingerprint",
        "_keras_internals",
        "_launcher",
        "_recipe_files",
        "_run_files",
        "_search_launcher",
        "_seeds",
        "_worker_process",
        "_launched",
        "_patch",
        "_toml",
        "_workers",
    },
    {
        "activations",
        "initializers",
        "regularizers",
        "schedules",
        "targets",
        "layers",
        "optimizers",
        "callbacks",
    },
    {"data", "distribute", "execution", "finders", "sanity", "diagnosis", "reporting"},
    {"recipes"},
    {"tuning", "estimators", "doctor", "exporting"},
    {"runs"},
    {"cli"},
]
SAME_LEVEL = {
    ("layers", "activations"),
    ("layers", "initializers"),
    ("layers", "regularizers"),
    ("layers", "schedules"),
    ("initializers", "activations"),
    ("optimizers", "schedules"),
    ("callbacks", "activations"),
    ("callbacks", "schedules"),
    ("callbacks", "regularizers"),
    ("callbacks", "optimizers"),
    ("finders", "reporting"),
    ("reporting", "diagnosis"),
}
SAVED = [
    "activations",
    "callbacks",
    "data",
    "initializers",
    "layers",
    "optimizers",
    "recipes",
    "regularizers",
    "schedules",
    "targets",
]
SUBPACKAGES = sorted(
    ".".join(path.parent.relative_to(PACKAGE).parts)
    for path in PACKAGE.rglob("__init__.py")
    if path.parent != PACKAGE and path.parent.name != "loaders"
)


def level(room):
    return next(index for index, rooms in enumerate(LEVELS) if room in rooms)


def imports(path):
    """Yields the dotted kerasrecipes modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("kerasrecipes."))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            assert node.names[0].name != "*", f"{path} has a star import"
            if node.module == "kerasrecipes":
                yield from (f"kerasrecipes.{a.name}" for a in node.names)
            elif node.module and node.module.startswith("kerasrecipes."):
                yield node.module


def dotted(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_point_down(path):
    if path == PACKAGE / "__init__.py":
        return
    room = dotted(path).split(".")[1]
    for name in imports(path):
        other = name.split(".")[1]
        foundation = room.startswith("_") and other.startswith("_")
        if other != room and not foundation and (room, other) not in SAME_LEVEL:
            assert level(other) < level(room), f"{room} imports {other}"


def test_imports_have_no_cycle():
    files = {dotted(path): path for path in MODULES}
    graph = {
        name: {found for found in imports(path) if found in files and found != name}
        for name, path in files.items()
        if path.name != "__init__.py"
    }
    graph = {name: {f for f in found if f in graph} for name, found in graph.items()}
    while graph:
        leaves = [name for name, found in graph.items() if not found]
        assert leaves, f"a cycle among {sorted(graph)}"
        graph = {n: found - set(leaves) for n, found in graph.items() if n not in leaves}


@pytest.mark.parametrize("name", SAVED)
def test_packages_import_keras_first(name):
    tree = ast.parse((PACKAGE / name / "__init__.py").read_text())
    first = next(node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom)))
    assert ast.unparse(first) == "import keras"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_private_keras_stays_in_one_file(path):
    if path.name != "_keras_internals.py":
        assert "keras.src" not in path.read_text()


def public_names():
    names = []
    for package in SUBPACKAGES:
        module = importlib.import_module(f"kerasrecipes.{package}")
        for name, thing in vars(module).items():
            if not name.startswith("_") and not inspect.ismodule(thing):
                names.append(f"kerasrecipes.{package}.{name}")
    return sorted(names)


def test_public_names_are_the_ones_that_were_agreed():
    snapshot = (ROOT / "tests" / "public_names.txt").read_text().split()
    assert public_names() == snapshot, (
        "Public names changed. If that is meant, write the new ones with "
        "`python tests/test_contracts.py` and add a line to CHANGELOG.md."
    )


@pytest.mark.parametrize("name", public_names() if PACKAGE.exists() else [])
def test_public_things_are_documented(name):
    package, attribute = name.rsplit(".", 1)
    thing = getattr(importlib.import_module(package), attribute)
    if not callable(thing):
        return
    assert thing.__doc__, name
    home = getattr(thing, "__module__", "")
    assert home.startswith("kerasrecipes"), f"{name} comes from {home}"
    base = attribute in {"Schedule", "Target", "PracticeMixin", "run_page"}
    assert base or ">>>" in thing.__doc__, f"{name} has no example"


def run_python(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_loads_next_to_nothing():
    loaded = set(run_python("import sys, kerasrecipes; print(*sys.modules)"))
    assert not loaded & {"keras", "tensorflow", "numpy", "pandas", "sklearn", "matplotlib", "rich"}


def test_using_the_library_loads_no_optional_dependency():
    code = (
        "import sys, keras; before = set(sys.modules)\n"
        "import kerasrecipes as kr; kr.recipes.mlp\n"
        "print(*(set(sys.modules) - before))"
    )
    loaded = {name.split(".")[0] for name in run_python(code)}
    assert not loaded & {"pyarrow", "matplotlib", "jinja2", "click", "tomli_w", "keras_tuner"}


FIRST = "kerasrecipes", "keras", "kerasrecipes.cli.main"


@pytest.mark.parametrize("first", representative(FIRST, "kerasrecipes"))
def test_everything_is_registered_whatever_is_imported_first(first):
    code = (
        f"import {first}, kerasrecipes, keras\n"
        "print(keras.saving.get_registered_object('kerasrecipes.models>RecipeModel').__name__,\n"
        "      keras.saving.get_registered_object('kerasrecipes.layers>DenseBlock').__name__)"
    )
    assert run_python(code) == ["RecipeModel", "DenseBlock"]


FORKS = """
import importlib, os, sys, tensorflow
for first in {packages}:
    if not os.fork():
        importlib.import_module("kerasrecipes." + first)
        import keras
        registered = keras.saving.get_registered_object("kerasrecipes.models>RecipeModel")
        print(first + "=" + registered.__name__, flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def registered():
    """What is registered by each package that is imported first, in forks of one process."""
    return dict(line.split("=") for line in run_python(FORKS.format(packages=list(SUBPACKAGES))))


@pytest.mark.slow
@pytest.mark.parametrize("first", SUBPACKAGES)
def test_each_package_can_be_imported_first(registered, first):
    assert registered.get(first) == "RecipeModel"


def practice_rows():
    """Yields (id, public names, test) of the table in docs/practice.md."""
    for line in (ROOT / "docs" / "practice.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) >= 3 and re.match(r"[SRCDT]\d", cells[0]):
            named = re.sub(r"\(.*?\)", "", cells[1])
            yield cells[0], re.findall(r"`([^`]+)`", named), re.findall(r"`([^`]+)`", cells[2])


@pytest.mark.parametrize(("practice", "names", "tests"), list(practice_rows()))
def test_practice_rows_name_things_that_exist(practice, names, tests):
    agreed = (ROOT / "tests" / "public_names.txt").read_text().split()
    for name in names:
        name = name.removeprefix("kr.").split("(")[0]
        known = any(full.removeprefix("kerasrecipes.") == name for full in agreed)
        assert known or name.startswith("kerasrecipes "), f"{practice}: {name}"
    for test in tests:
        file, _, function = test.partition("::")
        assert (ROOT / file).exists(), f"{practice}: {file}"
        assert f"def {function}" in (ROOT / file).read_text() if function else True, test


if __name__ == "__main__":
    (ROOT / "tests" / "public_names.txt").write_text("\n".join(public_names()) + "\n")
