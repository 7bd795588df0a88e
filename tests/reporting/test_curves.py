import io

import numpy as np
import pytest
from PIL import Image

from kerasrecipes import InputError
from kerasrecipes.reporting import curves
from kerasrecipes.reporting.curves import panel_names
from kerasrecipes.reporting.style import DARK, to_png

HISTORY = {
    "learning_rate": [0.1, 0.05, 0.01],
    "loss": [3.0, 2.0, 1.0],
    "accuracy": [0.3, 0.5, 0.9],
    "val_loss": [3.5, 1.5, 2.5],
    "val_accuracy": [0.2, 0.6, 0.5],
}


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_the_loss_comes_first_and_the_rate_last():
    assert panel_names(HISTORY) == ["loss", "accuracy", "learning_rate"]
    titles = [axes.get_title(loc="left") for axes in curves(HISTORY).axes]
    assert titles == ["Loss", "Accuracy", "Learning rate"]


def test_the_curves_are_those_of_the_history():
    figure = curves(HISTORY, best_epoch=2)
    drawn = lines(figure.axes[0])
    np.testing.assert_array_equal(drawn["training"].get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(drawn["training"].get_ydata(), HISTORY["loss"])
    np.testing.assert_array_equal(drawn["validation"].get_ydata(), HISTORY["val_loss"])
    assert drawn["best, epoch 2"].get_xydata().tolist() == [[2, 1.5]]
    assert lines(figure.axes[1])["best, epoch 2"].get_xydata().tolist() == [[2, 0.6]]
    assert "best, epoch 2" not in lines(figure.axes[2])


@pytest.mark.parametrize("best", [None, 0, 4])
def test_a_best_epoch_outside_the_history_is_not_marked(best):
    labels = lines(curves(HISTORY, best_epoch=best).axes[0])
    assert set(labels) == {"training", "validation"}


def test_only_the_named_quantities_are_drawn():
    assert len(curves(HISTORY, names=["accuracy"]).axes) == 1


def test_a_loss_that_falls_far_has_a_logarithmic_axis():
    near, far = {"loss": [1.0, 0.1]}, {"loss": [1.0, 0.001]}
    assert curves(near).axes[0].get_yscale() == "linear"
    assert curves(far).axes[0].get_yscale() == "log"
    assert curves({"loss": [1.0, -0.001]}).axes[0].get_yscale() == "linear"


@pytest.mark.parametrize("history", [{"loss": [1.0]}, {"loss": [float("nan"), float("nan")]}])
def test_one_epoch_and_nan_are_drawn_without_a_warning(history):
    assert to_png(curves(history, best_epoch=1)).startswith(b"\x89PNG")


def test_no_history_is_an_error():
    with pytest.raises(InputError, match="`history` must hold at least one epoch"):
        curves({})


def test_the_picture_has_the_style_and_is_the_same_each_time():
    png = to_png(curves(HISTORY, style=DARK))
    assert png == to_png(curves(HISTORY, style=DARK))
    corner = Image.open(io.BytesIO(png)).convert("RGB").getpixel((0, 0))
    assert corner == tuple(bytes.fromhex(DARK.paper[1:]))
