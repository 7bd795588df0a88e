"""Predictions of the test rows: losses, calibration, the worst examples, the file."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from kerasrecipes._checks import InputError
from kerasrecipes.reporting import (
    Predicted,
    calibration,
    comparison,
    layer_curves,
    reliability,
    worst_pictures,
    worst_rows,
)
from kerasrecipes.reporting.style import DARK, to_png

RNG = np.random.default_rng(0)


def classes(n=500, count=3):
    y_true = RNG.integers(0, count, n)
    outputs = RNG.dirichlet(np.ones(count), n)
    return y_true, outputs.astype("float32")


def test_losses_are_those_of_scikit_learn():
    y_true, outputs = classes()
    found = Predicted("multiclass", y_true, outputs)
    assert found.losses.mean() == pytest.approx(log_loss(y_true, outputs), rel=1e-5)
    assert found.chosen.tolist() == outputs.argmax(axis=1).tolist()
    y_true, outputs = classes(count=2)
    binary = Predicted("binary", y_true, outputs[:, 1:])
    assert binary.losses.mean() == pytest.approx(log_loss(y_true, outputs), rel=1e-5)
    labels = np.stack([y_true, 1 - y_true], axis=1)
    both = Predicted("multilabel", labels, np.stack([outputs[:, 1], 1 - outputs[:, 1]], axis=1))
    np.testing.assert_allclose(both.losses, binary.losses, rtol=1e-5)


def test_values_are_off_by_their_distance():
    found = Predicted("regression", np.array([[1.0, 2.0], [3.0, 4.0]]), [[1.0, 3.0], [5.0, 8.0]])
    assert found.losses.tolist() == [0.5, 3.0]
    assert found.worst.tolist() == [1, 0]
    one = Predicted("count", np.array([1.0, 5.0]), np.array([[2.0], [5.0]]))
    assert one.losses.tolist() == [1.0, 0.0]


def test_calibration_is_that_of_scikit_learn():
    y_true, outputs = classes(2000, 2)
    found = reliability(Predicted("binary", y_true, outputs[:, 1:]))
    share, said = calibration_curve(y_true, outputs[:, 1], n_bins=10)
    np.testing.assert_allclose(found.seen, share)
    np.testing.assert_allclose(found.said, said, rtol=1e-5)
    assert found.rows.sum() == 2000
    drawn = calibration(Predicted("binary", y_true, outputs[:, 1:])).axes[0].collections[1]
    np.testing.assert_allclose(np.asarray(drawn.get_offsets()), np.stack([said, share], 1), 1e-5)
    expected = np.sum(found.rows * np.abs(share - said)) / 2000
    assert found.error == pytest.approx(expected, rel=1e-4)


def test_what_says_the_truth_is_calibrated():
    said = RNG.random(50_000)
    y_true = (RNG.random(50_000) < said).astype("int64")
    assert reliability(Predicted("binary", y_true, said[:, None])).error < 0.01
    several = np.stack([said, 1 - said], axis=1)
    sure = Predicted("multiclass", 1 - y_true, several)
    assert reliability(sure).error < 0.01
    assert reliability(sure).said.min() >= 0.5
    with pytest.raises(InputError, match="must be of classes or labels"):
        reliability(Predicted("regression", said, said))


def test_intervals_hold_the_share_about_as_often_as_they_say():
    from kerasrecipes.reporting.calibration import Reliability, _interval

    share, rows = 0.05, 40
    seen = RNG.binomial(rows, share, 4000) / rows
    low, high = _interval(Reliability(seen, seen, np.full(4000, rows), 0.0))
    assert 0.92 < np.mean((low <= share) & (share <= high)) < 0.995
    assert low.min() >= -1e-12
    assert (high[seen == 0] > 0).all()


TABLE = pd.DataFrame({"size": [1.0, 2.5, np.nan], "kind": ["a", "b", "c"]})
INPUTS = {
    "numbers": (np.arange(6.0).reshape(3, 2), "0 4, 1 5"),
    "many": (np.arange(30.0).reshape(3, 10), "0 20, 1 21, 2 22, 3 23, 4 24, 5 25, …"),
    "texts": (np.array(["a", "b", "c\n\n d"], object), "c d"),
    "long texts": (np.array(["a", "b", "word " * 100], object), None),
    "a table": (TABLE, "size nan, kind c"),
    "images": (np.zeros((3, 4, 4, 1), "uint8"), ""),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_the_worst_row_of_all_kinds_of_inputs(kind, tmp_path):
    x, expected = INPUTS[kind]
    outputs = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    found = Predicted.of("multiclass", x, np.array([0, 1, 0]), outputs, rows=np.array([7, 8, 9]))
    path = tmp_path / "predictions.npz"
    found.save(path)
    for each in (found, Predicted.load(path)):
        worst = worst_rows(each)[0]
        assert (worst["row"], worst["true"], worst["predicted"]) == ("9", "0", "1")
        assert worst["loss"] == "0.3 for the true class"
        if expected is None:
            assert len(worst["inputs"]) == 160
        else:
            assert worst["inputs"] == expected
    if kind == "images":
        assert to_png(worst_pictures(found, style=DARK)).startswith(b"\x89PNG")
    else:
        with pytest.raises(InputError, match="must have images"):
            worst_pictures(found)


def test_labels_are_listed():
    y_true, outputs = np.array([[1, 0, 1], [0, 0, 0]]), np.array([[0.9, 0.1, 0.2], [0.1, 0.1, 0.1]])
    found = Predicted("multilabel", y_true, outputs, class_names=("a", "b", "c"))
    rows = worst_rows(found)
    assert [(row["true"], row["predicted"]) for row in rows] == [("a, c", "a"), ("–", "–")]


def test_the_file_holds_all(tmp_path):
    y_true, outputs = classes()
    more = {"class_names": ("a", "b", "c"), "feature_names": ("one",)}
    found = Predicted.of("multiclass", RNG.normal(size=(500, 1)), y_true, outputs, **more)
    found.save(tmp_path / "p.npz")
    again = Predicted.load(tmp_path / "p.npz")
    for name, value in vars(found).items():
        np.testing.assert_array_equal(getattr(again, name), value, err_msg=name)
    assert again.class_names == ("a", "b", "c")
    (tmp_path / "p.npz").write_bytes((tmp_path / "p.npz").read_bytes()[:200])
    with pytest.raises(InputError, match="p.npz is damaged"):
        Predicted.load(tmp_path / "p.npz")


@pytest.mark.parametrize(("y_true", "outputs"), [([0, 1], [[1.0]]), ([], np.zeros((0, 2)))])
def test_rows_must_fit(y_true, outputs):
    with pytest.raises(InputError, match="must be of one length"):
        Predicted("multiclass", y_true, outputs)


def test_layers_are_drawn_from_first_to_last():
    history = {f"gradient_norm/layer_{n}": [10.0**-n] * 4 for n in range(12)}
    figure = layer_curves(history, "gradient_norm", style=DARK)
    axes = figure.axes[0]
    assert axes.get_yscale() == "log"
    assert [line.get_ydata()[0] for line in axes.get_lines()] == [10.0**-n for n in range(12)]
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["layer_0", "layer_11"], "of many layers the first and the last"
    narrow = layer_curves({"dead_fraction/a": [0.0, 0.5]}, "dead_fraction")
    assert narrow.axes[0].get_yscale() == "linear"
    with pytest.raises(InputError, match="entries by layer of 'update_ratio'"):
        layer_curves(history, "update_ratio")


def test_runs_are_drawn_over_one_another():
    runs = {
        "a": {"loss": [1.0, 0.5], "val_loss": [1.0, 0.6], "accuracy": [0.5, 0.7]},
        "b": {"loss": [1.0, 0.4, 0.3], "val_loss": [1.0, 0.5, 0.4]},
    }
    axes = comparison(runs, best_epochs={"a": None, "b": 2}).axes
    assert [each.get_title(loc="left") for each in axes] == ["Loss"], "what all of them have"
    drawn = [list(line.get_ydata()) for line in axes[0].get_lines()]
    assert [1.0, 0.6] in drawn
    assert [1.0, 0.4, 0.3] in drawn
    assert [0.5] in drawn, "the best epoch of b"
    with pytest.raises(InputError, match="at least one run"):
        comparison({})
