import dataclasses
import html.parser
import re
import types

import keras_tuner
import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.reporting.search import (
    search_curves,
    search_importance,
    search_scores,
    search_values,
    value_names,
)
from kerasrecipes.reporting.search_page import search_page
from kerasrecipes.reporting.style import DARK, to_png
from kerasrecipes.tuning.search_result import SearchResult
from kerasrecipes.tuning.trial_record import TrialRecord


def record(number, score, *, status="completed", values=None, curves=((0.1, 0.2, 0.3),)):
    values = values or {"activation": "relu", "learning_rate": 10.0**-number, "layers": 2}
    scores = () if score is None else (score,)
    return TrialRecord(
        *(number, str(number), values, {"hidden": [64]}, {"batch_size": 32}, status, scores, score),
        epochs=(3,) * len(scores),
        seconds=1.0,
        message="<b>boom</b>" if status == "failed" else None,
        curves=curves if scores else (),
    )


def result(*records, direction="max"):
    hp = keras_tuner.HyperParameters()
    hp.Choice("activation", ["relu", "<i>"])
    hp.Float("learning_rate", 1e-6, 1.0, sampling="log")
    hp.Int("layers", 1, 4)
    return SearchResult(
        recipe="mlp",
        objective="val_accuracy",
        direction=direction,
        records=records,
        space=types.SimpleNamespace(hyperparameters=lambda: hp),
    )


FOUR = (
    record(1, 0.5),
    record(2, None, status="failed"),
    record(3, 0.75, values={"activation": "<i>", "learning_rate": 1e-3, "layers": 1}),
    record(4, 0.7, curves=((0.5, 0.6), (0.7, 0.6, 0.9))),
    record(5, 0.6, status="pruned"),
)


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def points(axes):
    """Returns the points of each kind, from left to right."""
    found = {each.get_label(): np.asarray(each.get_offsets()) for each in axes.collections}
    return {label: each[np.argsort(each[:, 0])] for label, each in found.items()}


def many(seed=0):
    rng = np.random.default_rng(seed)
    return result(
        *(
            record(
                number,
                float(np.log10(rate)) + 7,
                values={"activation": "relu", "learning_rate": rate, "layers": 2},
            )
            for number, rate in enumerate((10 ** rng.uniform(-6, 0, 20)).tolist(), 1)
        )
    )


@pytest.mark.parametrize(
    ("direction", "so_far"), [("max", [0.5, 0.75, 0.75, 0.75]), ("min", [0.5, 0.5, 0.5, 0.5])]
)
def test_the_scores_and_the_best_so_far(direction, so_far):
    axes = search_scores(result(*FOUR, direction=direction)).axes[0]
    drawn = points(axes)
    assert drawn["completed"].tolist() == [[1, 0.5], [3, 0.75], [4, 0.7]]
    assert drawn["pruned"].tolist() == [[5, 0.6]]
    assert drawn["failed"][:, 0].tolist() == [2]
    best = lines(axes)["best so far"]
    assert best.get_xdata().tolist() == [1, 3, 4, 5]
    assert best.get_ydata().tolist() == so_far


@pytest.mark.parametrize(("direction", "far"), [("max", -50.0), ("min", 50.0)])
def test_what_diverged_does_not_flatten_the_others(direction, far):
    records = [record(n, 0.5 + 0.01 * n) for n in range(1, 10)] + [record(10, far)]
    axes = search_scores(result(*records, direction=direction)).axes[0]
    bottom, top = axes.get_ylim()
    assert top - bottom < 0.5
    edge = axes.collections[1].get_offsets()
    assert edge.tolist() == [[10, bottom if direction == "max" else top]]


def test_losses_of_many_sizes_have_a_logarithmic_axis():
    records = [record(n, 10.0**-n) for n in range(1, 5)]
    assert search_scores(result(*records, direction="min")).axes[0].get_yscale() == "log"
    assert search_scores(result(*records)).axes[0].get_yscale() == "linear"


def test_a_panel_for_each_hyperparameter():
    axes = search_values(result(*FOUR)).axes
    by_title = {each.get_title(loc="left"): each for each in axes}
    assert set(by_title) == {"Activation", "Learning rate", "Layers"}
    rate = by_title["Learning rate"]
    assert rate.get_xscale() == "log"
    assert points(rate)["completed"].tolist() == [[1e-4, 0.7], [1e-3, 0.75], [0.1, 0.5]]
    assert points(rate)["best"].tolist() == [[1e-3, 0.75]]
    assert by_title["Layers"].get_xscale() == "linear"
    choices = by_title["Activation"]
    assert [tick.get_text() for tick in choices.get_xticklabels()] == ["relu", "<i>"]
    assert np.round(points(choices)["completed"][:, 0]).tolist() == [0, 0, 1]


def test_inactive_values_are_left_out():
    records = [record(1, 0.5, values={"activation": "relu"}), FOUR[2]]
    axes = search_values(result(*records), names=["learning_rate"]).axes[0]
    assert points(axes)["completed"].tolist() == [[1e-3, 0.75]]


def test_an_unknown_hyperparameter_is_refused():
    with pytest.raises(InputError, match="`names`.*Did you mean 'layers'"):
        search_values(result(*FOUR), names=["layer"])


def test_the_most_important_comes_first():
    assert value_names(result(*FOUR)) == ["activation", "learning_rate", "layers"]
    assert value_names(many())[0] == "learning_rate"


def test_the_bars_are_the_shares():
    found = many()
    axes = search_importance(found).axes[0]
    widths = [patch.get_width() for patch in axes.patches]
    np.testing.assert_allclose(widths, [100 * share for share in found.importance().values()])
    with pytest.raises(InputError, match="importance"):
        search_importance(result(*FOUR))


def test_many_bars_end_with_the_others():
    shares = {f"h{n}": 2.0**-n for n in range(1, 13)}
    axes = search_importance(types.SimpleNamespace(importance=lambda: shares)).axes[0]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == [*(f"H{n}" for n in range(1, 10)), "3 others"]
    assert axes.patches[-1].get_width() == pytest.approx(100 * (2**-10 + 2**-11 + 2**-12))


def test_the_curves_are_means_of_the_runs_and_the_best_stands_out():
    axes = search_curves(result(*FOUR)).axes[0]
    drawn = [line.get_ydata().tolist() for line in axes.get_lines()]
    assert drawn == [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.6, 0.6], [0.1, 0.2, 0.3]]
    best = lines(axes)["best, trial 3"]
    assert best.get_linewidth() == max(line.get_linewidth() for line in axes.get_lines())
    assert "pruned" in lines(axes)
    bare = [dataclasses.replace(each, curves=()) for each in FOUR]
    with pytest.raises(InputError, match="curve"):
        search_curves(result(*bare))


@pytest.mark.parametrize("draw", [search_scores, search_values, search_curves])
def test_nothing_to_draw_is_an_error(draw):
    with pytest.raises(InputError, match="`result` must have a completed trial"):
        draw(result(FOUR[1]))


def test_one_trial_and_dark_paper_are_drawn_without_a_warning():
    for draw in (search_scores, search_values, search_curves):
        assert to_png(draw(result(FOUR[0]), style=DARK)).startswith(b"\x89PNG")


class Reader(html.parser.HTMLParser):
    """Collects tags and text, and checks that tags are closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "source"):
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


def test_the_page_tells_all_and_needs_no_other_file():
    page = search_page(result(*FOUR))
    reader = read(page)
    assert not re.search(r"https?:|url\(|@import|<script|<link", page)
    text = " ".join(reader.text.split())
    for expected in (
        "Search of mlp",
        "5 trials by val_accuracy; higher is better",
        "3 of 5 Completed trials",
        "1 of 5 trials (20 %) failed with: <b>boom</b>.",
        "1 ★ 3 0.7500 – <i> 0.001 1 1.0 3 0.7500",
        "★ the best mean; one run per trial does not tell its error.",
        'recipe = "mlp" [model] hidden = [64] [fit] batch_size = 32',
    ):
        assert expected in text
    images = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert len(images) == len({image["alt"] for image in images}) == 5
    dark = [attributes for tag, attributes in reader.tags if tag == "source"]
    assert {source["media"] for source in dark} == {"(prefers-color-scheme: dark)"}


def test_a_search_that_failed_has_a_page_too():
    text = read(search_page(result(FOUR[1]))).text
    assert "1 of 1 trials (100 %) failed" in text
    assert "Best" not in text
