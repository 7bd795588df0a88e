"""Learning curves of several runs in one figure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kerasrecipes._checks import InputError
from kerasrecipes.reporting.curves import label, panel_names
from kerasrecipes.reporting.style import LIGHT, Style, dress, legend, new_figure

_WIDE = 50.0


def compared_names(histories: Sequence[Mapping[str, Sequence[float]]]) -> list[str]:
    """Returns the quantities that all histories have, as `curves` orders them."""
    return [n for n in panel_names(histories[0]) if all(n in panel_names(h) for h in histories)]


def comparison(
    runs: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    best_epochs: Mapping[str, int | None] | None = None,
    names: Sequence[str] | None = None,
    style: Style = LIGHT,
) -> Figure:
    """Draws the curves of several runs over one another, one panel for each quantity.

    Validation curves are solid where there are some, and training curves then faint. The best
    epoch of each run is marked.

    Args:
        runs: Histories by what to call the run.
        best_epochs: Epoch whose weights were kept, by run, counted from 1. Defaults to None.
        names: Quantities to draw. Defaults to None, all that every run has.
        style: Colours. Defaults to light paper.

    Example:
    >>> figure = comparison({"a": {"loss": [1.0, 0.5]}, "b": {"loss": [1.0, 0.75]}})
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['a', 'b']
    """
    if not runs:
        raise InputError("`runs` must have at least one run. Received none.")
    names = compared_names(list(runs.values())) if names is None else list(names)
    columns = min(len(names), 2)
    rows = math.ceil(len(names) / columns)
    figure = new_figure(4.8 * columns, 3.1 * rows, style)
    for position, name in enumerate(names, 1):
        axes = figure.add_subplot(rows, columns, position)
        dress(axes, style, title=label(name), x_label="Epoch")
        for place, (run, history) in enumerate(runs.items()):
            colour = style.palette[place % len(style.palette)]
            best = (best_epochs or {}).get(run)
            _draw(axes, run, name, history, best, colour)
        _scale(axes, name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        legend(axes, style)
    return figure


def _draw(
    axes: Any,
    run: str,
    name: str,
    history: Mapping[str, Sequence[float]],
    best: int | None,
    colour: str,
) -> None:
    training, validation = history[name], history.get(f"val_{name}")
    shown = training if validation is None else validation
    marker = "o" if len(shown) < 3 else ""
    axes.plot(range(1, len(shown) + 1), shown, color=colour, label=run, lw=1.8, marker=marker)
    if validation is not None:
        axes.plot(range(1, len(training) + 1), training, color=colour, lw=1.0, alpha=0.45)
    if best is not None and 1 <= best <= len(shown):
        axes.plot([best], [shown[best - 1]], "o", color=colour, markersize=5)


def _scale(axes: Any, name: str) -> None:
    values = [float(v) for line in axes.get_lines() for v in line.get_ydata()]
    finite = [value for value in values if math.isfinite(value)]
    if name == "loss" and finite and min(finite) > 0 and max(finite) / min(finite) > _WIDE:
        axes.set_yscale("log")
