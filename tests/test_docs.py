"""The Python of the README and the guide runs as it stands."""

import re

import pytest

from tests.forked import ROOT, start


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/start.md",
        "docs/callbacks.md",
        "docs/tuning.md",
        "docs/tabular.md",
        "docs/text.md",
        "docs/sequences.md",
        "docs/images.md",
        "docs/fine-tuning.md",
        "docs/estimators.md",
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


@pytest.mark.parametrize("page", sorted(p.name for p in (ROOT / "docs").glob("*.md")))
def test_links_point_to_files(page):
    text = (ROOT / "docs" / page).read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / "docs" / link).exists(), link


def test_links_of_the_readme():
    for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / link).exists(), link
