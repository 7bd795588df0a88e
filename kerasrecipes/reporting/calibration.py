"""Whether probabilities mean what they say."""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from kerasrecipes._checks import InputError
from kerasrecipes.reporting.predicted import Predicted
from kerasrecipes.reporting.style import LIGHT, Style, dress, new_figure

_BINS = 10
_NORMAL = 1.96  # quantile of a 95 % interval


class Reliability(NamedTuple):
    """Rows grouped by how probable the model says they are.

    Attributes:
        said: Mean probability that the model gives, for each group.
        seen: Share of the rows of the group that are so.
        rows: Rows of the group.
        error: Expected calibration error: sum(rows * |said - seen|) / sum(rows).
    """

    said: np.ndarray
    seen: np.ndarray
    rows: np.ndarray
    error: float


def reliability(predicted: Predicted) -> Reliability:
    """Groups rows by probability, in ten equal intervals from 0 to 1; empty ones are left out.

    For two classes, and for labels, it is the probability of class 1 against the share of class 1;
    for several classes the probability of the class that was chosen against the share that is
    right.

    Args:
        predicted: Predictions of classes or labels.

    Example:
    >>> y_true, outputs = np.array([1, 1, 0, 0]), np.array([[0.75], [0.75], [0.75], [0.25]])
    >>> found = reliability(Predicted("binary", y_true, outputs))
    >>> found.said.tolist(), found.seen.round(2).tolist(), found.rows.tolist()
    ([0.25, 0.75], [0.0, 0.67], [1, 3])
    >>> round(found.error, 3)
    0.125

    Reference: Guo et al. 2017, arXiv:1706.04599 (expected calibration error).
    """
    if predicted.kind == "multiclass":
        said = predicted.probabilities.max(axis=1)
        so = predicted.chosen == predicted.y_true.reshape(-1)
    elif predicted.kind in ("binary", "multilabel"):
        said, so = predicted.outputs.reshape(-1), predicted.y_true.reshape(-1) > 0.5
    else:
        raise InputError(
            "`predicted` must be of classes or labels. Received: those of a "
            f"{predicted.kind} target."
        )
    group = np.clip((said * _BINS).astype("int64"), 0, _BINS - 1)
    rows = np.bincount(group, minlength=_BINS)
    sums = np.bincount(group, said, _BINS), np.bincount(group, so, _BINS)
    there = rows > 0
    mean, share = (total[there] / rows[there] for total in sums)
    error = float(np.sum(rows[there] * np.abs(mean - share)) / rows.sum())
    return Reliability(mean, share, rows[there], error)


def calibration(predicted: Predicted, *, style: Style = LIGHT) -> Figure:
    """Draws how often things are so against how probable the model says they are.

    A calibrated model's points lie on the dashed line. Bars are the 95 % intervals of the shares
    (Wilson's); larger points stand for more rows.

    Args:
        predicted: Predictions of classes or labels.
        style: Colours. Defaults to light paper.

    Example:
    >>> predicted = Predicted("binary", np.array([0, 1]), np.array([[0.25], [0.75]]))
    >>> calibration(predicted).axes[0].get_title(loc="left")
    'Calibration, error 25.0 %'
    """
    found = reliability(predicted)
    figure = new_figure(4.8, 3.6, style)
    axes = figure.add_subplot()
    several = predicted.kind == "multiclass"
    one = f"class {predicted.names[1]}" if predicted.kind == "binary" else "a label"
    dress(
        axes,
        style,
        title=f"Calibration, error {100 * found.error:.1f} %",
        x_label=f"Probability of {'the chosen class' if several else one}",
        y_label="Share that is right" if several else f"Share of {one}",
    )
    axes.plot([0, 1], [0, 1], color=style.ink, linewidth=0.9, linestyle=(0, (4, 3)), alpha=0.7)
    axes.vlines(found.said, *_interval(found), color=style.train, linewidth=1.2, alpha=0.6)
    sizes = 16 + 144 * found.rows / found.rows.max()
    axes.scatter(found.said, found.seen, s=sizes, color=style.train, zorder=3)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    return figure


def _interval(found: Reliability) -> tuple[np.ndarray, np.ndarray]:
    """Returns Wilson's interval of each share, which is right for shares of 0 and 1 too."""
    squared = _NORMAL**2 / found.rows
    middle = (found.seen + squared / 2) / (1 + squared)
    variance = found.seen * (1 - found.seen) / found.rows + squared / (4 * found.rows)
    half = _NORMAL * np.sqrt(variance) / (1 + squared)
    return middle - half, middle + half
