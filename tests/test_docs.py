"""The Python of the README and the guide runs as it stands."""

import re

import keras
import numpy as np
import pandas as pd
import pytest
from packaging.version import Version
from sklearn.datasets import load_digits

import kerasrecipes as kr
from tests.forked import ROOT, start


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/index.md",
        "docs/start.md",
        "docs/callbacks.md",
        "docs/tuning.md",
        "docs/tabular.md",
        "docs/text.md",
        "docs/sequences.md",
        "docs/images.md",
        "docs/fine-tuning.md",
        "docs/estimators.md",
        "docs/exporting.md",
        "docs/backends.md",
        "docs/checks.md",
        "docs/finding-the-rate.md",
        "docs/diagnosis.md",
    ],
)
def test_python_of_the_page_runs(page, tmp_path):
    code = "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL))
    assert "model.fit" in code
    folder, error = tmp_path / "reader", tmp_path / "error"
    folder.mkdir()
    process = start(f"import os\nos.chdir({str(folder)!r})\n{code}", tmp_path / "out", error)
    process.join(240)
    process.kill()
    process.join()
    assert process.exitcode == 0, error.read_text()[-3000:]
    assert list(folder.glob("*.keras"))


DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_links_point_to_files(page):
    for link in re.findall(r"\]\(([^)#:]+)\)", (DOCS / page).read_text()):
        assert ((DOCS / page).parent / link).exists(), link


def test_the_site_has_every_page_and_every_package():
    assert sorted(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text())) == PAGES
    names = (ROOT / "tests" / "public_names.txt").read_text().split()
    packages = {name.removeprefix("kerasrecipes.").rpartition(".")[0] for name in names}
    for package in packages:
        page = f"api/{package.replace('.', '-')}.md"
        assert f"::: kerasrecipes.{package}\n" in (DOCS / page).read_text()
    functions = [name for name in dir(kr.recipes) if name.islower() and not name.startswith("_")]
    recipes = [name for name in functions if callable(getattr(kr.recipes, name))]
    assert {f"recipes/{name}.md" for name in recipes} - {"recipes/auto.md"} <= set(PAGES)


def test_names_to_migrate_to_exist():
    text = (DOCS / "migration.md").read_text()
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    names = re.findall(r"`((?:kr|keras)(?:\.\w+)+)[^`]*`(?: from Keras ([\d.]+) on)?", text)
    assert len(names) > 50
    for name, since in names:
        if Version(keras.__version__) < Version(since or "0"):
            continue
        thing = {"kr": kr, "keras": keras}[name.split(".")[0]]
        for part in name.split(".")[1:]:
            thing = getattr(thing, part)


IMAGES, DIGITS = load_digits(return_X_y=True)
TABLE = pd.DataFrame({"size": IMAGES[:200, 20], "kind": np.where(IMAGES[:200, 30] > 8, "a", "b")})
WORDS = [("good day " if digit > 4 else "bad night ") + str(digit) for digit in DIGITS[:200]]
ROWS = {
    "mlp": (IMAGES, DIGITS),
    "tabular": (TABLE, (DIGITS[:200] > 4).astype(int)),
    "text": (WORDS, (DIGITS[:200] > 4).astype(int)),
    **dict.fromkeys(["cnn", "resnet"], (IMAGES.reshape(-1, 8, 8, 1), DIGITS)),
    **dict.fromkeys(["temporal", "rnn", "transformer"], (IMAGES.reshape(-1, 8, 8), DIGITS)),
}


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if re.match(r"recipes/(?!index)", p)])
def test_python_of_a_recipe_runs(page):
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    found = {}
    name = page.removeprefix("recipes/").removesuffix(".md")
    if name in ROWS:
        x, y = ROWS[name]
        found["rows"] = kr.data.split(x[:200], y[:200], validation=0.2, test=0.2, seed=0)
    exec(re.sub(r"epochs=[\w.]+", "epochs=1", code), found)
    assert found["model"].recipe.name == name


def test_links_of_the_readme():
    for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / link).exists(), link
