"""Predictions against the truth: a confusion matrix for classes, residuals for values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from kerasrecipes._checks import InputError
from kerasrecipes.reporting.style import LIGHT, Style, dress, new_figure

_NUMBERS_UP_TO = 20
_TICKS_UP_TO = 40


def confusion_matrix(y_true: Any, y_pred: Any, *, classes: int) -> np.ndarray:
    """Counts the rows of each true class (row) that were given each class (column).

    Args:
        y_true: True class numbers, shape (n,).
        y_pred: Predicted class numbers, shape (n,).
        classes: Number of classes C, int >= 1.

    Returns:
        int64 array of shape (C, C), whose sum is n.

    Example:
    >>> confusion_matrix([0, 1, 1], [0, 1, 0], classes=2).tolist()
    [[1, 0], [1, 1]]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    counts = np.zeros((classes, classes), "int64")
    np.add.at(counts, (y_true.astype("int64"), y_pred.astype("int64")), 1)
    return counts


def confusion(
    y_true: Any, y_pred: Any, *, class_names: Sequence[str], style: Style = LIGHT
) -> Figure:
    """Draws the confusion matrix; the colour is the share within the true class.

    Args:
        y_true: True class numbers, shape (n,).
        y_pred: Predicted class numbers, shape (n,).
        class_names: Names of the classes in the order of their numbers.
        style: Colours. Defaults to light paper.

    Example:
    >>> confusion([0, 1, 1], [0, 1, 0], class_names=["no", "yes"]).axes[0].get_title(loc="left")
    'Confusion matrix'
    """
    counts = confusion_matrix(y_true, y_pred, classes=len(class_names))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = float(np.clip(1.8 + 0.42 * len(class_names), 3.4, 9.0))
    figure = new_figure(size + 0.6, size, style)
    axes = figure.add_subplot()
    dress(
        axes,
        style,
        title="Confusion matrix",
        x_label="Predicted class",
        y_label="True class",
    )
    axes.grid(False)
    norm = PowerNorm(0.5, vmin=0, vmax=1)  # few mistakes among many hits stay visible
    axes.imshow(shares, cmap=style.ramp, norm=norm, aspect="equal")
    if len(class_names) <= _TICKS_UP_TO:
        long = max(len(str(name)) for name in class_names) > 3
        axes.set_xticks(
            range(len(class_names)),
            class_names,
            rotation=45 if long else 0,
            ha="right" if long else "center",
            rotation_mode="anchor" if long else None,
        )
        axes.set_yticks(range(len(class_names)), class_names)
    if len(class_names) <= _NUMBERS_UP_TO:
        _write_counts(axes, counts, shares, style)
    return figure


def fitted(y_true: Any, y_pred: Any, *, style: Style = LIGHT) -> Figure:
    """Draws predictions against true values; a perfect model's lie on the dashed line.

    Args:
        y_true: True values, shape (n,) or (n, units).
        y_pred: Predicted values of the same size.
        style: Colours. Defaults to light paper.

    Example:
    >>> fitted([1.0, 2.0], [1.5, 2.0]).axes[0].get_xlabel()
    'True value'
    """
    y_true, y_pred = _pair(y_true, y_pred)
    figure = new_figure(4.8, 3.6, style)
    axes = figure.add_subplot()
    dress(
        axes, style, title="Predicted against true", x_label="True value", y_label="Predicted value"
    )
    ends = [min(y_true.min(), y_pred.min()), max(y_true.max(), y_pred.max())]
    axes.plot(ends, ends, color=style.ink, linewidth=0.9, linestyle=(0, (4, 3)), alpha=0.7)
    axes.scatter(y_true, y_pred, s=16, color=style.train, alpha=0.65, linewidths=0)
    return figure


def residuals(y_true: Any, y_pred: Any, *, style: Style = LIGHT) -> Figure:
    """Draws the distribution of predicted minus true values.

    Args:
        y_true: True values, shape (n,) or (n, units).
        y_pred: Predicted values of the same size.
        style: Colours. Defaults to light paper.

    Example:
    >>> residuals([1.0, 2.0], [1.5, 2.0]).axes[0].get_ylabel()
    'Rows'
    """
    y_true, y_pred = _pair(y_true, y_pred)
    figure = new_figure(4.8, 3.6, style)
    axes = figure.add_subplot()
    dress(axes, style, title="Residuals", x_label="Predicted − true", y_label="Rows")
    axes.hist(y_pred - y_true, bins="auto" if len(y_true) < 10_000 else 100, color=style.train)
    axes.axvline(0, color=style.ink, linewidth=0.9, linestyle=(0, (4, 3)), alpha=0.7)
    return figure


def _write_counts(axes: Any, counts: np.ndarray, shares: np.ndarray, style: Style) -> None:
    ramp = axes.images[0].get_cmap()
    norm = axes.images[0].norm
    for (row, column), count in np.ndenumerate(counts):
        if not count:
            continue
        red, green, blue, _ = ramp(norm(shares[row, column]))
        bright = 0.299 * red + 0.587 * green + 0.114 * blue > 0.55
        axes.text(
            column,
            row,
            count,
            ha="center",
            va="center",
            fontsize=8,
            color="#111111" if bright else "#ffffff",
        )


def _pair(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    y_true, y_pred = np.asarray(y_true).reshape(-1), np.asarray(y_pred).reshape(-1)
    if y_true.shape != y_pred.shape or len(y_true) == 0:
        raise InputError(
            "`y_true` and `y_pred` must be of one size, at least 1. "
            f"Received: {y_true.size} and {y_pred.size}."
        )
    return y_true, y_pred
