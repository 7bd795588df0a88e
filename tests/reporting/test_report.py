"""Pages of runs on disk, also as a browser shows them."""

import json
import re
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest
from PIL import Image

from kerasrecipes._checks import InputError
from kerasrecipes.reporting import Predicted, report

BROWSER = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
METRICS = {
    "format": 1,
    "name": "mine",
    "summary": "Three kinds of things",
    "recipe": "mlp",
    "seed": 0,
    "started": "2026-01-02T03:04:05+00:00",
    "device": "cpu:0 (2 cores)",
    "parameters": 12345,
    "monitor": "val_loss",
    "fit": {"batch_size": 16},
    "data": {
        "source": "csv: mine.csv",
        "fingerprint": "ab" * 32,
        "rows": {"train": 1100, "validation": 2000, "test": 60},
        "shape": "(4,)",
    },
    "target": {"kind": "multiclass", "classes": ["cat", "dog", "fox"]},
    "random_guess_loss": 1.0986,
    "versions": {"keras": "3.15.1"},
    "seconds": {"fit": 75.0, "total": 80.0},
    "epochs": {"run": 20, "asked": 20, "best": 15},
    "interrupted": False,
    "stopped": "all epochs were trained",
    "metrics": {
        name: {"loss": loss, "accuracy": 1 - loss}
        for name, loss in {"train": 0.1, "validation": 0.2, "test": 0.3}.items()
    },
}
LONG = "a_very_long_name_of_a_feature_that_nothing_can_break_" * 3


def make_run(folder, *, seed=0, end=0.1, kind="multiclass", **parts):
    """Writes a run folder; `parts` are further files by stem."""
    rng = np.random.default_rng(seed)
    loss = end + (1.1 - end) * np.exp(-np.arange(20) / 3)
    columns = {
        "loss": loss,
        "val_loss": loss + 0.05 + 0.01 * rng.random(20),
        "learning_rate": np.full(20, 1e-3),
        "gradient_norm": 2 * loss,
        "gradient_norm/hidden_1": 0.1 * loss,
        "gradient_norm/head": loss,
    }
    folder.mkdir(parents=True)
    lines = [",".join(["epoch", *columns])]
    lines += [",".join(map(str, row)) for row in zip(range(1, 21), *columns.values(), strict=True)]
    (folder / "history.csv").write_text("\n".join(lines) + "\n")
    (folder / "metrics.json").write_text(json.dumps({**METRICS, "seed": seed}))
    recipe = f'recipe = "mlp"\nseed = {seed}\n[target]\nkind = "{kind}"\n[model]\nl2 = {end}\n'
    (folder / "recipe.toml").write_text(recipe)
    y_true = rng.integers(0, 3, 60)
    outputs = rng.dirichlet(np.ones(3), 60)
    outputs = 0.5 * outputs + 0.5 * np.eye(3)[y_true]
    names = {"class_names": ("cat", "dog", "fox"), "feature_names": (LONG, "b", "c", "d")}
    predicted = Predicted.of(
        "multiclass", rng.normal(size=(60, 4)), y_true, outputs, rows=np.arange(100, 160), **names
    )
    predicted.save(folder / "predictions.npz")
    for name, text in parts.items():
        (folder / f"{name}.json").write_text(text)
    return folder


CHECKS = {"findings": [{"name": "saving", "status": "pass", "seen": 0.0, "expected": "<= 1e-06"}]}


def text_of(page):
    text = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


@pytest.mark.usefixtures("plain_pictures")
def test_a_run_folder(tmp_path):
    run = make_run(tmp_path / "runs" / "mine" / "1", checks=json.dumps(CHECKS))
    page = report(run, path=tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text("utf-8") == page
    assert not re.search(r"https?:|url\(|@import|<script|<link", page)
    text = text_of(page)
    for expected in (
        "Three kinds of things",
        "Diagnosis",
        "Plateau without decay",
        "Checks 1 passed",
        "Learning curves",
        "Layers",
        "Test rows",
        "Worst test rows",
        "csv: mine.csv",
        "Recipe file",
    ):
        assert expected in text, expected
    assert report(types.SimpleNamespace(folder=run)) == page
    assert "label range" in text_of(
        report(
            run,
            checks={
                "findings": [
                    {"name": "label_range", "status": "fail", "seen": 1.0, "expected": "0"}
                ]
            },
        )
    )


@pytest.mark.usefixtures("plain_pictures")
def test_a_run_of_an_older_version_has_no_predictions(tmp_path):
    run = make_run(tmp_path / "run")
    (run / "predictions.npz").unlink()
    assert "Worst test rows" not in text_of(report(run))


@pytest.mark.usefixtures("plain_pictures")
def test_curves_alone(tmp_path):
    page = report({"loss": [1.0, 0.5], "val_loss": [1.0, 0.75], "val_accuracy": [0.5, 0.7]})
    text = text_of(page)
    assert "Training Validation" in text
    assert "Loss 0.5000 0.7500" in text
    assert "Epoch 2 of 2" in text
    assert "None" not in text


@pytest.mark.usefixtures("plain_pictures")
def test_several_runs_side_by_side(tmp_path):
    runs = [make_run(tmp_path / f"r{n}", seed=n, end=end) for n, end in enumerate((0.1, 0.5, 0.1))]
    text = text_of(report(runs))
    for expected in (
        "3 runs",
        "Side by side r0 r1 r2",
        "Seed 0 1 2",
        "What differs r0 r1 r2 seed 0 1 2 model.l2 0.1 0.5 0.1",
        "Test rows of r2",
    ):
        assert expected in text, expected
    same = [make_run(tmp_path / f"s{n}", seed=n) for n in range(2)]
    assert "What differs s0 s1 seed 0 1 Diagnosis" in text_of(report(same))


@pytest.mark.usefixtures("plain_pictures")
def test_seeds_that_differ_are_told_together(tmp_path):
    curves = [{"loss": [1.0, end], "val_loss": [1.0, end]} for end in (0.1, 0.9)]
    text = text_of(report(curves))
    assert "All runs together Unstable over seeds" in text
    assert "history 1" in text


@pytest.mark.usefixtures("plain_pictures")
def test_wrong_input_is_refused(tmp_path):
    run = make_run(tmp_path / "run", checks="{")
    with pytest.raises(InputError, match="checks.json is damaged"):
        report(run)
    (run / "checks.json").unlink()
    with pytest.raises(InputError, match="`checks` must be what `sanity.check` returned"):
        report(run, checks=3)
    with pytest.raises(InputError, match="`checks` must be None for several runs"):
        report([run, run], checks=CHECKS)
    (run / "predictions.npz").write_bytes(b"no")
    with pytest.raises(InputError, match="predictions.npz is damaged"):
        report(run)
    with pytest.raises(InputError, match="There is no run folder or history file no/such"):
        report("no/such")


def test_it_needs_no_keras(tmp_path):
    run = make_run(tmp_path / "run")
    code = (
        "import sys; from kerasrecipes.reporting import report\n"
        f"report({str(run)!r})\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def shown(page, folder, *, width, height=900, dark=False):
    """Returns how a browser shows a page, and the page's own width and that of its window."""
    path = folder / f"page-{width}-{dark}.html"
    probe = (
        "<script>document.title = [document.documentElement.scrollWidth, innerWidth,"
        "[...document.images].filter(i => !i.naturalWidth).length].join(' ')</script>"
    )
    path.write_text(page.replace("</body>", f"{probe}</body>"), "utf-8")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    flags += [f"--window-size={width},{height}", f"--user-data-dir={folder / 'profile'}"]
    flags += ["--blink-settings=preferredColorScheme=0"] if dark else []
    picture = path.with_suffix(".png")
    settings = {"capture_output": True, "timeout": 120, "text": True, "check": True}
    subprocess.run([BROWSER, *flags, f"--screenshot={picture}", path.as_uri()], **settings)
    dom = subprocess.run([BROWSER, *flags, "--dump-dom", path.as_uri()], **settings).stdout
    numbers = re.search(r"<title>(\d+) (\d+) (\d+)</title>", dom)
    assert numbers, dom[:500]
    with Image.open(picture) as image:
        return np.asarray(image.convert("RGB")), [int(number) for number in numbers.groups()]


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
@pytest.mark.parametrize("several", [False, True])
def test_a_browser_shows_it_on_a_phone_and_in_the_dark(tmp_path, several):
    first = make_run(tmp_path / "runs" / "one", checks=json.dumps(CHECKS))
    page = report([first, make_run(tmp_path / "runs" / "two", seed=1)] if several else first)
    light, (width, window, broken) = shown(page, tmp_path, width=390)
    assert broken == 0, "pictures that cannot be read"
    assert width <= window, "the page is wider than the phone"
    dark, (width, window, _) = shown(page, tmp_path, width=390, dark=True)
    assert width <= window
    assert np.median(light) > 230
    assert np.median(dark) < 50
    wide, (width, window, _) = shown(page, tmp_path, width=1200)
    assert width <= window
    assert wide.std() > 5, "an empty page"
