import copy
import html.parser
import re

import numpy as np
import pytest

from kerasrecipes.reporting import Predicted, run_page

METRICS = {
    "name": "mine",
    "summary": "Things <b>not</b> bold & so on",
    "recipe": "mlp",
    "seed": 0,
    "started": "2026-01-02T03:04:05+00:00",
    "device": "cpu:0 (2 cores)",
    "parameters": 12345,
    "monitor": "val_loss",
    "data": {
        "source": "csv: mine.csv",
        "fingerprint": "ab" * 32,
        "rows": {"train": 1100, "validation": 200, "test": 200},
        "shape": "(4,)",
    },
    "target": {"kind": "multiclass"},
    "random_guess_loss": 1.0986,
    "versions": {"keras": "3.15.1"},
    "seconds": {"fit": 75.0, "total": 80.0},
    "epochs": {"run": 3, "asked": 9, "best": 2},
    "interrupted": False,
    "stopped": "val_loss has not improved for 1 epochs",
    "metrics": {
        "train": {"loss": 0.1, "accuracy": 0.99},
        "validation": {"loss": 0.2, "accuracy": 0.95},
        "test": {"loss": 0.3, "accuracy": 0.9375},
    },
}
HISTORY = {"loss": [1.0, 0.5, 0.1], "val_loss": [1.0, 0.2, 0.3], "learning_rate": [0.1] * 3}
CLASSES = Predicted.of(
    "multiclass",
    np.eye(3),
    np.array([0, 1, 1]),
    np.array([[0.75, 0.25], [0.5, 0.5], [1.0, 0.0]]),
    class_names=("a", "<i>"),
)
VALUES = Predicted.of("regression", np.array(["x", "y <b>", "z"]), np.arange(3.0), np.ones((3, 1)))


class Reader(html.parser.HTMLParser):
    """Collects tags, attributes and text, and checks that tags are closed in order."""

    VOID = ("meta", "img", "source")

    def __init__(self):
        super().__init__()
        self.open, self.attributes, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += f" {data}"


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_the_page_needs_no_other_file_and_no_network():
    page = run_page(METRICS, HISTORY, recipe="a = 1", predicted=CLASSES)
    reader = read(page)
    for tag, attributes in reader.attributes:
        assert tag not in ("script", "link", "iframe")
        for name in ("src", "srcset", "href"):
            assert attributes.get(name, "data:image/png;base64,").startswith("data:image/png;")
    assert not re.search(r"https?:|url\(|@import", page)


@pytest.mark.usefixtures("plain_pictures")
def test_the_page_fits_phones_and_dark_systems():
    page = run_page(METRICS, HISTORY, recipe="", predicted=CLASSES)
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in page
    sources = [a for tag, a in read(page).attributes if tag == "source"]
    assert len(sources) == 4
    assert {source["media"] for source in sources} == {"(prefers-color-scheme: dark)"}


@pytest.mark.usefixtures("plain_pictures")
def test_the_page_tells_results_data_and_versions():
    text = " ".join(read(run_page(METRICS, HISTORY, recipe='summary = "<&>"')).text.split())
    for expected in (
        "Things <b>not</b> bold & so on",
        "2026-01-02 03:04",
        "Train Validation Test",
        "Loss 0.1000 0.2000 0.3000",
        "Accuracy 0.9900 0.9500 0.9375",
        "1 min 15 s",
        "12,345",
        "train 1,100, validation 200, test 200",
        "csv: mine.csv",
        "2, by val_loss",
        "keras 3.15.1",
        'summary = "<&>"',
    ):
        assert expected in text
    assert "interrupted" not in text


@pytest.mark.usefixtures("plain_pictures")
def test_every_picture_says_in_words_what_it_shows():
    for predicted in (CLASSES, VALUES):
        page = run_page(METRICS, HISTORY, recipe="", predicted=predicted)
        images = [a for tag, a in read(page).attributes if tag == "img"]
        assert len(images) == len({image["alt"] for image in images}) >= 3
        assert all(int(image["width"]) > 100 < int(image["height"]) for image in images)


@pytest.mark.parametrize("best", [2, None])
@pytest.mark.usefixtures("plain_pictures")
def test_an_interrupted_run_says_so(best):
    metrics = copy.deepcopy(METRICS)
    metrics.update(interrupted=True, epochs={"run": 3, "asked": 9, "best": best})
    text = read(run_page(metrics, HISTORY, recipe="")).text
    assert "interrupted after 3 of 9 epochs" in text
    assert ("weights of epoch 2" in text) == (best == 2)
    assert "None" not in text


@pytest.mark.usefixtures("plain_pictures")
def test_a_diverged_run_has_a_page_too():
    metrics = copy.deepcopy(METRICS)
    metrics["epochs"]["best"] = None
    for split in metrics["metrics"].values():
        split.update(loss=float("nan"), accuracy=None)
    text = read(run_page(metrics, {"loss": [float("nan")]}, recipe="")).text
    assert "was never finite" in text
    assert "None" not in text


@pytest.mark.usefixtures("plain_pictures")
def test_the_page_tells_what_is_wrong_and_what_to_do():
    history = {"loss": [1.0, float("nan")], "val_loss": [1.0, 1.0]}
    text = " ".join(read(run_page(METRICS, history, recipe="")).text.split())
    assert "Divergence warning S10, from epoch 2" in text
    assert "clip_norm=1.0" in text
    assert "Nothing found" not in text
    assert "rules could be applied" in text


@pytest.mark.usefixtures("plain_pictures")
def test_checks_are_shown_if_there_are_some():
    checks = {
        "findings": [
            {"name": "saving", "status": "pass", "seen": 0.0, "expected": "<= 1e-06"},
            {
                "name": "label_range",
                "status": "fail",
                "seen": 3.0,
                "expected": "0",
                "note": "Labels of `y` <b>.",
                "remedy": "Mend them.",
            },
            {"name": "dead_units", "status": "skipped", "seen": None, "note": "no ReLU"},
        ]
    }
    text = " ".join(read(run_page(METRICS, HISTORY, recipe="", checks=checks)).text.split())
    assert "1 failed, 1 passed, 1 skipped" in text
    assert "label range fail 3 0 Labels of y <b>. Mend them. saving pass 0 <= 1e-06" in text
    assert "Checks" not in read(run_page(METRICS, HISTORY, recipe="")).text


@pytest.mark.usefixtures("plain_pictures")
def test_the_worst_rows_are_told():
    text = " ".join(read(run_page(METRICS, HISTORY, recipe="", predicted=CLASSES)).text.split())
    assert "Worst test rows Row True Predicted How far off Inputs 2 <i> a" in text
    values = " ".join(read(run_page(METRICS, HISTORY, recipe="", predicted=VALUES)).text.split())
    assert "0 0 1 off by 1 x 2 2 1 off by 1 z 1 1 1 off by 0 y <b>" in values


@pytest.mark.usefixtures("plain_pictures")
def test_layers_have_figures_of_their_own():
    layers = {
        "gradient_norm/a": [1.0] * 3,
        "gradient_norm/b": [0.5] * 3,
        "dead_fraction/a": [0.0] * 3,
    }
    page = run_page(METRICS, {**HISTORY, **layers}, recipe="")
    images = [a["alt"] for tag, a in read(page).attributes if tag == "img"]
    assert images[2:] == [
        "Gradient norm of each layer over 3 epochs.",
        "Dead fraction of each layer over 3 epochs.",
    ]


@pytest.mark.usefixtures("plain_pictures")
def test_outputs_that_are_not_finite_have_no_figures():
    broken = Predicted("regression", np.arange(2.0), np.array([[np.nan], [1.0]]))
    text = read(run_page(METRICS, HISTORY, recipe="", predicted=broken)).text
    assert "Test rows" not in text
    assert "Worst" not in text
