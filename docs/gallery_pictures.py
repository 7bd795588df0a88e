"""The pictures of docs/gallery.md: what is drawn, and how."""

import io
import json
from collections.abc import Callable
from typing import Any

import keras
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import kerasrecipes as kr
from kerasrecipes.reporting.style import LIGHT, dress, legend, new_figure

FIT = kr.schedules.FitLength(updates=1000, updates_per_epoch=100)

_THIRD = "#5b7f3a"  # green, apart from the blue and orange of the house also in grey
_COLOURS = (LIGHT.train, LIGHT.validation, _THIRD)
_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
_LOOKS = [
    {"color": colour, "linestyle": dashes, "linewidth": 2}
    for colour, dashes in zip(_COLOURS, _DASHES, strict=True)
]
_SIZE = (5.4, 3.3)
_DPI = 160
_SHADES = 64
_STEP = 0.01
_STEPS = np.arange(1000.0)  # the last update of the fit is made at the rate after 999
_SAMPLES = np.linspace(-4, 4, 9)


def evaluated(code: str) -> Any:
    """Returns what a call of entries.toml gives."""
    return eval(code, {"kr": kr, "keras": keras})  # noqa: S307  (our own file)


def function_of(name: str, entry: dict[str, Any]) -> Callable[..., np.ndarray]:
    """Returns an activation as a function of NumPy arrays."""
    return on_numpy(evaluated(entry["call"]) if "call" in entry else kr.activations.get(name))


def on_numpy(activation: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """Returns an activation as a function of NumPy arrays, in float64 if it has no weights."""
    dtype = "float32" if isinstance(activation, keras.layers.Layer) else "float64"

    def function(x: np.ndarray, **arguments: Any) -> np.ndarray:
        tensor = keras.ops.convert_to_tensor(np.asarray(x), dtype)
        return keras.ops.convert_to_numpy(activation(tensor, **arguments)).astype("float64")

    return function


def grid(low: float = -4.0, high: float = 4.0) -> np.ndarray:
    """Returns the middles of small intervals, so that kinks at round numbers lie between them."""
    return np.arange(low + _STEP / 2, high, _STEP)


def derivative(function: Callable[..., np.ndarray], x: np.ndarray) -> np.ndarray:
    """Returns central differences."""
    eps = 1e-4
    return (function(x + eps) - function(x - eps)) / (2 * eps)


def broken(values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Returns the values with a gap at each jump: where they change faster than they slope."""
    changes = np.diff(values)
    jumps = np.abs(changes - slopes[:-1] * _STEP) > 0.05
    return np.where(np.append(jumps, False), np.nan, values)


def samples(family: str, name: str, entry: dict[str, Any]) -> dict[str, list[float]]:
    """Returns a few numbers of each curve; a picture carries those it was drawn from."""
    if family == "schedules":
        steps = np.arange(0, 1001, 100)
        curves = {call: evaluated(call).values(steps, FIT) for call in entry["calls"]}
    elif entry.get("kind") == "family":
        x = _SAMPLES[:, None]
        curves = {call: on_numpy(evaluated(call))(x)[:, 0] for call in entry["calls"]}
    elif entry.get("kind") == "vector":
        curves = dict(zip("123", function_of(name, entry)(scores(_SAMPLES)).T, strict=True))
    elif entry.get("kind") == "gate":
        curves = {"1": function_of(name, entry)(halves(1.0, _SAMPLES))[:, 0]}
    else:
        curves = {entry.get("call", name): function_of(name, entry)(_SAMPLES)}
    return {key: [float(f"{v:.4g}") for v in values] for key, values in curves.items()}


def scores(x: np.ndarray) -> np.ndarray:
    """Returns the inputs (x, 1, 0), which softmax and its kind are shown for."""
    return np.stack([x, np.ones_like(x), np.zeros_like(x)], -1)


def halves(a: float, b: np.ndarray) -> np.ndarray:
    """Returns the inputs (a, b), which gates are shown for."""
    return np.stack([np.full_like(b, a), b], -1)


def picture(family: str, name: str, entry: dict[str, Any]) -> bytes:
    """Returns a picture as a PNG file's bytes, the same for the same entry."""
    with matplotlib.style.context("default"):
        figure = new_figure(*_SIZE, LIGHT)
        kind = "schedule" if family == "schedules" else entry.get("kind", "curve")
        _PAINTERS[kind](figure, name, entry)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    notes = PngInfo()
    notes.add_text("Description", json.dumps(samples(family, name, entry)))
    small = io.BytesIO()
    image = Image.open(buffer).convert("RGB").quantize(_SHADES)
    image.save(small, format="png", pnginfo=notes, optimize=True)
    return small.getvalue()


def lines(axes: Axes, x: Any, curves: dict[str, np.ndarray]) -> None:
    """Draws curves in the colours and dashes of the house."""
    for (label, y), look in zip(curves.items(), _LOOKS, strict=False):
        axes.plot(x, y, label=label, **look)


def paint_schedule(figure: Figure, name: str, entry: dict[str, Any]) -> None:
    """Draws the rates over the fit, and the momentum below them."""
    heights = [2, 1] if entry.get("momentum") else [1]
    panels = figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)
    axes, *below = panels[:, 0]
    labels = entry.get("labels", [""])
    for call, label, look in zip(entry["calls"], labels, _LOOKS, strict=False):
        schedule = evaluated(call)
        schedule.plot(fit=FIT, updates=int(_STEPS[-1]), ax=axes)
        axes.lines[-1].set(label=label, clip_on=False, **look)
        for panel in below:
            values = keras.ops.convert_to_numpy(schedule.momentum_at(_STEPS, FIT))
            panel.plot(_STEPS, values, **look)
    axes.set_title("", loc="center")
    x_label = "optimizer updates"
    dress(axes, LIGHT, title=name, x_label="" if below else x_label, y_label="learning rate")
    for panel in below:
        dress(panel, LIGHT, title="", x_label=x_label, y_label="momentum")
    axes.set_xlim(0, FIT.updates)
    axes.set_ylim(0, 0.125 if entry.get("headroom") else 0.108)
    if entry.get("log"):
        on_log_axis(axes)
    if "labels" in entry:
        legend(axes, LIGHT, loc=entry.get("legend", "best"))


def on_log_axis(axes: Axes) -> None:
    """Turns the axis of the rates into a logarithmic one."""
    low = min(line.get_ydata().min() for line in axes.lines)
    axes.set_yscale("log")
    axes.set_ylim(low / 1.3, 0.13)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("learning rate (log scale)")


def paint_curve(figure: Figure, name: str, entry: dict[str, Any]) -> None:
    """Draws a function and its derivative."""
    function = function_of(name, entry)
    x = grid(*entry.get("range", (-4, 4)))
    slopes = derivative(function, x)
    curvature = np.gradient(slopes, _STEP)
    curvature = np.where(np.abs(curvature) * _STEP > 0.05, 0.0, curvature)
    curves = {"f(x)": broken(function(x), slopes), "f'(x)": broken(slopes, curvature)}
    axes = plane(figure, name, entry)
    lines(axes, x, curves)
    limit(axes, np.concatenate(list(curves.values())), entry)
    legend(axes, LIGHT, loc=entry.get("legend", "best"))


def paint_family(figure: Figure, name: str, entry: dict[str, Any]) -> None:
    """Draws a function for several values of its parameter."""
    x = grid()
    values = [on_numpy(evaluated(call))(x[:, None])[:, 0] for call in entry["calls"]]
    axes = plane(figure, name, entry)
    lines(axes, x, dict(zip(entry["labels"], values, strict=True)))
    limit(axes, np.concatenate(values), entry)
    legend(axes, LIGHT, loc="lower right")


def paint_band(figure: Figure, name: str, entry: dict[str, Any]) -> None:
    """Draws the random leaky ReLU: what training may give, gave once, and what inference gives."""
    layer = evaluated(entry["call"])
    x = grid(*entry["range"])
    axes = plane(figure, name, entry)
    negative = np.minimum(x, 0)
    axes.fill_between(
        x,
        layer.upper * negative,
        layer.lower * negative,
        color=LIGHT.validation,
        alpha=0.25,
        linewidth=0,
        label=f"training: slopes {layer.lower:.3f} to {layer.upper:.3f}",
    )
    dots = np.linspace(-3.95, -0.05, 79)
    drawn_once = on_numpy(layer)(dots, training=True)
    axes.plot(dots, drawn_once, ".", color=LIGHT.validation, ms=4, label="one pass in training")
    lines(axes, x, {"inference: the mean slope": on_numpy(layer)(x)})
    limit(axes, layer.upper * negative, entry)
    legend(axes, LIGHT, loc="upper left")


def paint_vector(figure: Figure, name: str, entry: dict[str, Any]) -> None:
    """Draws the three outputs for (x, 1, 0)."""
    x = grid()
    values = function_of(name, entry)(scores(x))
    axes = plane(figure, f"{name} of (x, 1, 0)", entry, x_label="first input x")
    axes.set_ylabel("outputs")
    labels = ["of x", "of 1", "of 0"]
    lines(axes, x, dict(zip(labels, values.T, strict=True)))
    limit(axes, values, entry)
    legend(axes, LIGHT)


def paint_gate(figure: Figure, name: str, entry: dict[str, Any]) -> None:
    """Draws the output over the gate's input."""
    b = grid()
    curves = {f"a = {a:g}": function_of(name, entry)(halves(a, b))[:, 0] for a in (2.0, 1.0, -1.0)}
    axes = plane(figure, f"{name} of (a, b)", entry, x_label="second half of the input, b")
    axes.set_ylabel("output")
    lines(axes, b, curves)
    limit(axes, np.concatenate(list(curves.values())), entry)
    legend(axes, LIGHT)


def plane(figure: Figure, title: str, entry: dict[str, Any], *, x_label: str = "x") -> Axes:
    """Returns dressed axes with the zero lines."""
    axes = figure.subplots()
    dress(axes, LIGHT, title=title, x_label=x_label)
    for draw in (axes.axhline, axes.axvline):
        draw(0, color=LIGHT.ink, linewidth=0.8, alpha=0.6, zorder=1)
    axes.set_xlim(*entry.get("range", (-4, 4)))
    return axes


def limit(axes: Axes, values: np.ndarray, entry: dict[str, Any]) -> None:
    """Sets the vertical limits, so that bounded functions look bounded."""
    low, high = min(np.nanmin(values), 0.0), max(np.nanmax(values), 1.0)
    low, high = entry.get("bottom", low), entry.get("top", high)
    axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


_PAINTERS: dict[str, Callable[[Figure, str, dict[str, Any]], None]] = {
    "schedule": paint_schedule,
    "curve": paint_curve,
    "family": paint_family,
    "band": paint_band,
    "vector": paint_vector,
    "gate": paint_gate,
}
