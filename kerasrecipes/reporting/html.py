"""One self-contained page for a run."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jinja2
from matplotlib.figure import Figure

from kerasrecipes.reporting.curves import curves, label, panel_names
from kerasrecipes.reporting.predictions import confusion, fitted, residuals
from kerasrecipes.reporting.style import DARK, LIGHT, Style, to_png

TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("kerasrecipes.reporting"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_DPI = 150
_TILES = 3


def run_page(
    metrics: Mapping[str, Any],
    history: Mapping[str, Sequence[float]],
    *,
    recipe: str,
    predictions: Mapping[str, Any] | None = None,
) -> str:
    """Returns the page of one run, which needs no other file and no network.

    It shows the results on every split, the learning curves, a confusion matrix or the
    residuals of the test rows, the data, the versions and the recipe, on a phone as well as on
    a screen, light or dark as the reader's system is.

    Args:
        metrics: What the run's `metrics.json` holds.
        history: Values per epoch by log name.
        recipe: The run's resolved recipe as TOML.
        predictions: `y_true` and `y_pred` of the test rows, and `class_names` where these are
            class numbers. Defaults to None, no such figure.

    Returns:
        The text of an HTML file.
    """
    galleries = [{"title": "Learning curves", "pictures": _curve_pictures(metrics, history)}]
    if predictions is not None:
        pictures = _prediction_pictures(**predictions)
        galleries.append({"title": "Test rows", "pictures": pictures})
    return TEMPLATES.get_template("run.html.j2").render(
        name=metrics["name"],
        summary=metrics["summary"],
        started=metrics["started"][:16].replace("T", " "),
        notice=_notice(metrics),
        tiles=_tiles(metrics),
        splits=[split.capitalize() for split in metrics["metrics"]],
        rows=result_rows(metrics["metrics"]),
        galleries=galleries,
        facts=_facts(metrics),
        recipe=recipe,
    )


def result_rows(results: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Returns a row per quantity, with a cell for each split, as text.

    Example:
    >>> result_rows({"train": {"loss": 0.25, "auc": 1.0}, "test": {"loss": 0.5, "auc": 0.75}})[0]
    {'title': 'Loss', 'cells': ['0.2500', '0.5000']}
    """
    names = dict.fromkeys(name for values in results.values() for name in values)
    return [
        {"title": label(name), "cells": [number(values.get(name)) for values in results.values()]}
        for name in names
    ]


def number(value: float | None) -> str:
    """Returns a number with about four significant digits, and a dash for none.

    Example:
    >>> number(0.97777), number(1234.56), number(0.0000321), number(None)
    ('0.9778', '1235', '3.21e-05', '–')
    """
    if value is None:
        return "–"
    size = abs(value)
    if size and (size < 1e-3 or size >= 1e6):
        return f"{value:.3g}"
    decimals = 4 if size < 10 else 2 if size < 1000 else 0
    return f"{value:.{decimals}f}"


def duration(seconds: float) -> str:
    """Returns a time span in words.

    Example:
    >>> duration(7.31), duration(75), duration(7384)
    ('7.3 s', '1 min 15 s', '2 h 3 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def _notice(metrics: Mapping[str, Any]) -> str:
    epochs = metrics["epochs"]
    notices = []
    if metrics["interrupted"]:
        notices.append(
            f"This run was interrupted after {epochs['run']} of {epochs['asked']} epochs."
        )
        if epochs["best"] is not None:
            notices.append(f"The model has the weights of epoch {epochs['best']}.")
    if epochs["best"] is None:
        notices.append(f"{metrics['monitor']} was never finite: this model is of no use.")
    return " ".join(notices)


def _tiles(metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    test = metrics["metrics"]["test"]
    names = [name for name in test if name != "loss"] or ["loss"]
    tiles = [
        {"title": f"{label(name)}, test", "value": number(test[name])} for name in names[:_TILES]
    ]
    best = metrics["epochs"]["best"]
    tiles.append({"title": "Best epoch", "value": "–" if best is None else str(best)})
    tiles.append({"title": "Training time", "value": duration(metrics["seconds"]["fit"])})
    return tiles


def picture(draw: Callable[[Style], Figure], alt: str) -> dict[str, Any]:
    """Returns a figure as the page has it: drawn for light and for dark, with a text."""
    light = draw(LIGHT)
    width, height = (round(float(side) * 100) for side in light.get_size_inches())
    return {
        "alt": alt,
        "width": width,
        "height": height,
        "light": _data_url(light),
        "dark": _data_url(draw(DARK)),
    }


def _curve_pictures(
    metrics: Mapping[str, Any], history: Mapping[str, Sequence[float]]
) -> list[dict[str, Any]]:
    best = metrics["epochs"]["best"]

    def panel(name: str) -> dict[str, Any]:
        values = history.get(f"val_{name}") or history[name]
        first, last = number(values[0]), number(values[-1])
        return picture(
            lambda style: curves(history, best_epoch=best, names=[name], style=style),
            f"{label(name)} over {len(values)} epochs, from {first} to {last}.",
        )

    return [panel(name) for name in panel_names(history)]


def _prediction_pictures(
    y_true: Any, y_pred: Any, class_names: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    if class_names is not None:
        return [
            picture(
                lambda style: confusion(y_true, y_pred, class_names=class_names, style=style),
                "Count of the test rows by true and predicted class.",
            )
        ]
    return [
        picture(
            lambda style: fitted(y_true, y_pred, style=style),
            "Predicted against true values of the test rows.",
        ),
        picture(
            lambda style: residuals(y_true, y_pred, style=style),
            "Distribution of predicted minus true values of the test rows.",
        ),
    ]


def _data_url(figure: Figure) -> str:
    return "data:image/png;base64," + base64.b64encode(to_png(figure, dpi=_DPI)).decode("ascii")


def _facts(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    epochs, data = metrics["epochs"], metrics["data"]
    rows = ", ".join(f"{split} {count:,}" for split, count in data["rows"].items())
    return [
        {
            "title": "Training",
            "rows": [
                ("Recipe", metrics["recipe"]),
                ("Parameters", f"{metrics['parameters']:,}"),
                ("Epochs", f"{epochs['run']} of at most {epochs['asked']}"),
                ("Best epoch", f"{epochs['best'] or 'none'}, by {metrics['monitor']}"),
                ("Stopped", metrics["stopped"]),
                *([("Went on", metrics["resumed"])] if metrics.get("resumed") else []),
                ("Loss of a guess", number(metrics["random_guess_loss"])),
                ("Seed", metrics["seed"]),
                ("Device", metrics["device"]),
            ],
        },
        {
            "title": "Data",
            "rows": [
                ("Source", data["source"]),
                ("Rows", rows),
                ("Row shape", data["shape"]),
                ("Target", metrics["target"]["kind"]),
                ("Fingerprint", data["fingerprint"]),
            ],
        },
        {"title": "Versions", "rows": list(metrics["versions"].items())},
    ]
