"""Figures of what the finders found."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasrecipes.reporting.style import LIGHT, Style, dress, legend, new_figure

_WIDTH, _HEIGHT = 6.4, 3.8
_DASHES = {
    "valley": (0, ()),
    "steepest": (0, (5, 2)),
    "minimum_over_10": (0, (1, 1.5)),
    "half_of_divergence": (0, (5, 2, 1, 2)),
}
_ROOM = 0.35


def rate_curve(result: Any, *, style: Style = LIGHT) -> Figure:
    """Draws the loss against the learning rate, with the suggested rates.

    Points are the losses of single batches, the line is their average. What lies far above the
    level at the beginning is marked at the upper edge.

    Args:
        result: A `kerasrecipes.finders.LearningRateResult`.
        style: Colours. Defaults to light paper.

    Returns: A Matplotlib figure that no window owns: `figure.savefig(path)` writes it.

    Example:
    >>> import types
    >>> rates, losses = np.array([0.1, 1.0]), np.array([2.0, 1.0])
    >>> result = types.SimpleNamespace(
    ...     rates=rates, losses=losses, smoothed_rates=rates, smoothed=losses,
    ...     suggestions={"valley": 0.3}, rate=0.3, diverged=None,
    ... )
    >>> rate_curve(result).axes[0].get_xscale()
    'log'
    """
    figure = new_figure(_WIDTH, _HEIGHT, style)
    axes = figure.add_subplot()
    dress(axes, style, title="Range test", x_label="Learning rate", y_label="Loss")
    axes.set_xscale("log")
    low, high = _limits(result)
    inside = np.clip(result.losses, None, high)
    above = result.losses > high
    axes.plot(
        result.rates[~above], inside[~above], ".", color=style.train, alpha=0.35, label="batch"
    )
    axes.plot(result.rates[above], inside[above], "^", color=style.train, alpha=0.5, markersize=4)
    axes.plot(
        result.smoothed_rates, result.smoothed, color=style.train, linewidth=1.8, label="smoothed"
    )
    axes.set_ylim(low, high + 0.02 * (high - low))
    for name, rate in sorted(result.suggestions.items(), key=lambda item: item[1]):
        _mark(axes, name, rate, rate == result.rate, style)
    legend(axes, style, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _limits(result: Any) -> tuple[float, float]:
    """Returns the losses to show: all that were learned, and the level of the start."""
    calm = result.losses[: max(3, len(result.losses) // 10)]
    low = float(min(result.losses.min(), result.smoothed.min()))
    high = float(calm.max())
    room = max(high - low, 1e-6 * abs(high), 1e-12)
    return low - 0.05 * room, high + _ROOM * room


def _mark(axes: Axes, name: str, rate: float, is_chosen: bool, style: Style) -> None:
    axes.axvline(
        rate,
        color=style.validation if is_chosen else style.ink,
        linestyle=_DASHES[name],
        linewidth=1.6 if is_chosen else 1.0,
        label=f"{name.replace('_', ' ')}: {rate:.2g}",
    )


def batch_sizes(result: Any, *, style: Style = LIGHT) -> Figure:
    """Draws examples per second, and memory where it is known, against the batch size.

    Args:
        result: A `kerasrecipes.finders.BatchSizeResult`.
        style: Colours. Defaults to light paper.

    Returns: A Matplotlib figure that no window owns: `figure.savefig(path)` writes it.

    Example:
    >>> import types
    >>> result = types.SimpleNamespace(
    ...     sizes=np.array([16, 32]), examples_per_second=np.array([900.0, 1700.0]),
    ...     memory=np.array([0, 0]), failed={64: "too much"}, limit=None, largest=32, fastest=32,
    ... )
    >>> [axes.get_title(loc="left") for axes in batch_sizes(result).axes]
    ['Speed']
    """
    has_memory = bool(result.memory.any())
    figure = new_figure(4.4 * (1 + has_memory), 3.3, style)
    axes = figure.add_subplot(1, 1 + has_memory, 1)
    speed = result.examples_per_second
    _sizes(axes, result, speed, style, title="Speed", y_label="Examples per second")
    at = int(np.argmax(speed))
    label = f"fastest: {result.fastest:,}"
    axes.plot(result.sizes[at], speed[at], "o", color=style.validation, label=label, zorder=5)
    legend(axes, style, loc="best")
    if has_memory:
        axes = figure.add_subplot(1, 2, 2)
        memory = result.memory / 2**20
        _sizes(axes, result, memory, style, title="Memory", y_label="MiB")
        label = f"largest: {result.largest:,}"
        axes.plot(result.largest, memory[-1], "o", color=style.validation, label=label, zorder=5)
        if result.limit is not None and result.failed:
            limit = result.limit / 2**20
            axes.axhline(limit, color=style.ink, linestyle=(0, (4, 3)), linewidth=1, label="limit")
        legend(axes, style, loc="best")
    return figure


def _sizes(
    axes: Axes, result: Any, values: np.ndarray, style: Style, *, title: str, y_label: str
) -> None:
    """Draws values over the sizes that fit, and crosses at the foot for those that do not."""
    dress(axes, style, title=title, x_label="Batch size", y_label=y_label)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda size, _: f"{size:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.plot(result.sizes, values, "o-", color=style.train, linewidth=1.8, markersize=4)
    axes.set_ylim(0, 1.12 * values.max())
    if result.failed:
        foot = np.zeros(len(result.failed))
        axes.plot(
            list(result.failed),
            foot,
            "x",
            color=style.ink,
            clip_on=False,
            label="does not fit",
            zorder=5,
        )
