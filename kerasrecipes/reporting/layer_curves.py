"""Curves of the layers, as the monitors log them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kerasrecipes._checks import InputError
from kerasrecipes.reporting.style import LIGHT, Style, dress, new_figure

_TITLES = {
    "gradient_norm": "Gradient norm of each layer",
    "update_ratio": "Update ratio of each layer",
    "activation_rms": "Root mean square of activations",
    "dead_fraction": "Dead units of each layer",
}
_LINEAR = ("dead_fraction",)
_NAMED = 8
_WIDE = 10.0


def layer_kinds(history: Mapping[str, Sequence[float]]) -> list[str]:
    """Returns which entries by layer a history has.

    Example:
    >>> layer_kinds({"loss": [1.0], "dead_fraction/hidden_1": [0.5]})
    ['dead_fraction']
    """
    there = {name.partition("/")[0] for name in history if "/" in name and len(history[name])}
    return [kind for kind in _TITLES if kind in there]


def layer_curves(
    history: Mapping[str, Sequence[float]], kind: str, *, style: Style = LIGHT
) -> Figure:
    """Draws one kind of entry over the epochs, a line for each layer, from first to last.

    What spans more than a factor of ten is drawn on a logarithmic axis.

    Args:
        history: Values per epoch by log name, with "kind/layer" among them.
        kind: "gradient_norm", "update_ratio", "activation_rms" or "dead_fraction".
        style: Colours. Defaults to light paper.

    Example:
    >>> figure = layer_curves({"gradient_norm/a": [1.0, 0.01]}, "gradient_norm")
    >>> figure.axes[0].get_yscale()
    'log'
    """
    curves = {n.partition("/")[2]: v for n, v in history.items() if n.startswith(f"{kind}/")}
    if kind not in _TITLES or not curves:
        raise InputError(f"`history` must have entries by layer of {kind!r}. Received: none.")
    figure = new_figure(4.8, 3.1, style)
    axes = figure.add_subplot()
    dress(axes, style, title=_TITLES[kind], x_label="Epoch")
    ramp = LinearSegmentedColormap.from_list("layers", [style.train, style.validation])
    lowest, highest = np.inf, -np.inf
    for place, (name, values) in enumerate(curves.items()):
        colour = ramp(place / max(len(curves) - 1, 1))
        is_named = len(curves) <= _NAMED or place in (0, len(curves) - 1)
        marker = "o" if len(values) < 3 else ""
        epochs = range(1, len(values) + 1)
        title = name if is_named else None
        axes.plot(epochs, values, color=colour, label=title, linewidth=1.5, marker=marker)
        lowest, highest = min(lowest, np.nanmin(values)), max(highest, np.nanmax(values))
    if kind in _LINEAR:
        axes.set_ylim(-0.03, 1.03)
    elif 0 < _WIDE * lowest < highest:
        axes.set_yscale("log")
        axes.tick_params(axis="y", which="minor", colors=style.ink, labelsize=8)
    else:
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    figure.legend(
        loc="outside lower center", ncols=4, frameon=False, fontsize=9, labelcolor=style.ink
    )
    return figure
