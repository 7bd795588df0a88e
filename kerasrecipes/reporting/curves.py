"""Learning curves of a run."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kerasrecipes._checks import InputError
from kerasrecipes.reporting.style import LIGHT, Style, dress, legend, new_figure

_LABELS = {"auc": "AUC", "f1": "F1", "mae": "MAE", "r2": "R²", "rmse": "RMSE"}
_ALIKE = 50.0
_OF_TRAINING = (
    "penalty",
    "gradient_norm",
    "clipped_fraction",
    "update_ratio",
    "learning_rate",
)


def curves(
    history: Mapping[str, Sequence[float]],
    *,
    best_epoch: int | None = None,
    names: Sequence[str] | None = None,
    style: Style = LIGHT,
) -> Figure:
    """Draws loss, metrics, gradient norm, learning rate and the like over the epochs.

    One panel for each quantity, with its training and validation curve; the best epoch is
    marked. A loss that spans more than a factor of 50 is drawn on a logarithmic axis.

    Args:
        history: Values per epoch by log name, as in `History.history`: `loss`, `val_loss`, ...
        best_epoch: Epoch whose weights were kept, counted from 1. Defaults to None, no mark.
        names: Quantities to draw. Defaults to None, all: see `panel_names`.
        style: Colours. Defaults to light paper.

    Returns:
        A Matplotlib figure that no window owns: `figure.savefig(path)` writes it.

    Example:
    >>> figure = curves({"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]}, best_epoch=2)
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['Loss']
    """
    names = panel_names(history) if names is None else list(names)
    if not names:
        raise InputError("`history` must hold at least one epoch of one quantity. Received none.")
    columns = min(len(names), 2)
    rows = math.ceil(len(names) / columns)
    figure = new_figure(4.8 * columns, 3.1 * rows, style)
    for position, name in enumerate(names, 1):
        axes = figure.add_subplot(rows, columns, position)
        _panel(axes, name, history, best_epoch, style)
    return figure


def panel_names(history: Mapping[str, Sequence[float]]) -> list[str]:
    """Returns what is drawn: the loss, the metrics, and what else training is told by."""
    there = [name for name in history if len(history[name]) and "/" not in name]  # of a layer
    found = list(dict.fromkeys(name.removeprefix("val_") for name in there))
    order = {"loss": -1, **dict.fromkeys(_OF_TRAINING, 1)}
    return sorted(found, key=lambda name: order.get(name, 0))


def label(name: str) -> str:
    """Returns a readable name of a log entry, such as "Learning rate"."""
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def _panel(
    axes: Axes,
    name: str,
    history: Mapping[str, Sequence[float]],
    best_epoch: int | None,
    style: Style,
) -> None:
    dress(axes, style, title=label(name), x_label="Epoch")
    series = {"training": history.get(name), "validation": history.get(f"val_{name}")}
    colours = {"training": style.train, "validation": style.validation}
    for title, values in series.items():
        if values:
            epochs = range(1, len(values) + 1)
            marker = "o" if len(values) < 3 else ""
            axes.plot(
                epochs, values, color=colours[title], label=title, linewidth=1.8, marker=marker
            )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlim(left=1 if len(history.get(name) or ()) > 1 else None)
    if name == "loss" and _wide([v for values in series.values() for v in values or ()]):
        axes.set_yscale("log")
    if name in _OF_TRAINING:
        axes.yaxis.set_major_formatter(lambda rate, _: f"{rate:.3g}")
        axes.set_ylim(bottom=0)
        if best_epoch is not None:
            _mark_epoch(axes, best_epoch, style)
    else:
        _mark_best(axes, series["validation"] or series["training"], best_epoch, style)
        legend(axes, style)


def _mark_best(
    axes: Axes, values: Sequence[float] | None, best_epoch: int | None, style: Style
) -> None:
    if best_epoch is None or not values or not 1 <= best_epoch <= len(values):
        return
    _mark_epoch(axes, best_epoch, style)
    axes.plot(
        [best_epoch],
        [values[best_epoch - 1]],
        marker="o",
        markersize=5,
        color=style.ink,
        linestyle="none",
        label=f"best, epoch {best_epoch}",
        zorder=5,
    )


def _mark_epoch(axes: Axes, epoch: int, style: Style) -> None:
    axes.axvline(epoch, color=style.ink, linewidth=0.9, linestyle=(0, (4, 3)), alpha=0.7)


def _wide(values: Sequence[float]) -> bool:
    finite = [value for value in values if math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) / min(finite) > _ALIKE
