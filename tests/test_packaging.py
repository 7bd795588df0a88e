"""What pyproject.toml says is what the package and its pages say."""

import re
import subprocess
import tomllib

import pytest

import kerasrecipes as kr
from tests.forked import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OLDEST = dict(each.split(">=") for each in PROJECT["dependencies"])
PYTHONS = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))


def test_the_version_is_that_of_the_package():
    assert PROJECT["version"] == kr.__version__


def test_tags_are_the_versions_of_their_commits():
    def git(*words):
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout

    if not (ROOT / ".git").exists():
        pytest.skip("needs the repository")
    tags = git("tag", "--list", "v*").split()
    versions = [tomllib.loads(git("show", f"{tag}:pyproject.toml"))["project"] for tag in tags]
    assert tags == [f"v{each['version']}" for each in versions]
    released = re.findall(r"(?m)^## \[(\d.*?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert sorted(f"v{each}" for each in released) == sorted(tags)


def test_the_oldest_python_is_one_of_those_named():
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_pages_name_the_versions(page):
    assert (
        f"Keras {OLDEST['keras']} or newer on TensorFlow {OLDEST['tensorflow']} or newer; "
        f"Python {PYTHONS[0]} to {PYTHONS[-1]}."
    ) in (ROOT / page).read_text("utf-8")


def test_the_table_of_supported_versions():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert f"| Python | {PYTHONS[0]} | {PYTHONS[-1]} |" in text
    for name in ("Keras", "TensorFlow"):
        assert f"| {name} | {OLDEST[name.lower()]} |" in text


def test_ci_installs_the_oldest_of_each_dependency():
    needed = {*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]}
    text = (ROOT / ".ci" / "oldest.txt").read_text("utf-8")
    pins = [line for line in text.splitlines() if not line.startswith("#")]
    assert pins == sorted(each.replace(">=", "==") for each in needed)
