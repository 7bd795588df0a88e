"""One self-contained page for a run."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jinja2
from matplotlib.figure import Figure

from kerasrecipes.diagnosis.diagnose import diagnose
from kerasrecipes.diagnosis.result import Finding
from kerasrecipes.diagnosis.run_record import RunRecord, of_run
from kerasrecipes.reporting.calibration import calibration
from kerasrecipes.reporting.curves import curves, label, panel_names
from kerasrecipes.reporting.examples import has_pictures, worst_pictures, worst_rows
from kerasrecipes.reporting.layer_curves import layer_curves, layer_kinds
from kerasrecipes.reporting.predicted import Predicted
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
_MOST_CLASSES = 100


def run_page(
    metrics: Mapping[str, Any],
    history: Mapping[str, Sequence[float]],
    *,
    recipe: str,
    predicted: Predicted | None = None,
    checks: Mapping[str, Any] | None = None,
) -> str:
    """Returns the page of one run, which needs no other file and no network.

    It shows what is wrong with the run and what to do about it, the checks before training, the
    results on every split, the learning curves, those of the layers where monitors have logged
    them, a confusion matrix or the residuals of the test rows, the calibration, the worst
    examples, the data, the versions and the recipe, on a phone as well as on a screen, light or
    dark as the reader's system is.

    Args:
        metrics: What the run's `metrics.json` holds.
        history: Values per epoch by log name.
        recipe: The run's resolved recipe as TOML.
        predicted: Predictions of the test rows. Defaults to None, nothing of them.
        checks: What `to_dict` of a `kerasrecipes.sanity.Report` returns. Defaults to None.

    Returns:
        The text of an HTML file.
    """
    run = of_run(metrics["name"], metrics, history, recipe)
    return TEMPLATES.get_template("run.html.j2").render(
        name=metrics["name"],
        summary=metrics["summary"],
        started=metrics["started"][:16].replace("T", " "),
        notice=notice(metrics),
        tiles=_tiles(metrics),
        splits=[split.capitalize() for split in metrics["metrics"]],
        rows=result_rows(metrics["metrics"]),
        facts=_facts(metrics),
        recipe=recipe,
        **_judged(run, checks),
        **_pictured(run, predicted),
    )


def history_page(run: RunRecord, *, checks: Mapping[str, Any] | None = None) -> str:
    """Returns the page of a training of which only the curves are known."""
    last = {name: float(run.history[name][run.kept]) for name in _numbers_of(run)}
    sides = {
        "training": {n: v for n, v in last.items() if not n.startswith("val_")},
        "validation": {n[4:]: v for n, v in last.items() if n.startswith("val_")},
    }
    sides = {name: values for name, values in sides.items() if values}
    tiles = [
        {"title": f"{label(n)}, {side}", "value": number(values[n])}
        for side, values in sides.items()
        for n in ["loss"]
        if n in values
    ]
    tiles.append({"title": "Epochs", "value": str(run.length)})
    return TEMPLATES.get_template("run.html.j2").render(
        name=run.name,
        summary=f"Epoch {run.kept + 1} of {run.length}",
        started="",
        notice="",
        tiles=tiles,
        splits=[side.capitalize() for side in sides],
        rows=result_rows(sides),
        facts=[],
        recipe="",
        **_judged(run, checks),
        **_pictured(run, None),
    )


def _numbers_of(run: RunRecord) -> list[str]:
    names = [n for n in run.history if "/" not in n and run.curve(n) is not None]
    return sorted(names, key=lambda name: name.removeprefix("val_") != "loss")


def _judged(run: RunRecord, checks: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns what is wrong with a run, for its page."""
    found = diagnose(run)
    unknown = found.not_judged.get(run.name, {})
    return {
        "findings": [finding_part(finding) for finding in found.findings],
        "judged": f"{len(found.rules) - len(unknown)} of {len(found.rules)}",
        "checks": check_part(checks),
    }


def finding_part(finding: Finding) -> dict[str, Any]:
    """Returns a finding as a page shows it; code stands between backquotes."""
    return {
        "title": finding.title,
        "practice": finding.practice,
        "severity": finding.severity,
        "epoch": finding.epoch,
        "evidence": finding.evidence.split("`"),
        "remedy": finding.remedy.split("`"),
    }


def check_part(checks: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Returns the checks as a page shows them: a count, and the wrong ones first."""
    if checks is None:
        return None
    rank = {"fail": 0, "warn": 1, "pass": 2, "skipped": 3}
    found = sorted(checks["findings"], key=lambda each: rank.get(each["status"], 4))
    counts = [sum(each["status"] == status for each in found) for status in rank]
    said = (f"{n} {word}" for n, word in zip(counts, _SAID, strict=True) if n)
    rows = [
        {
            "name": each["name"].replace("_", " "),
            "status": each["status"],
            "quantity": each.get("quantity") or each.get("note", ""),
            "seen": "–" if each.get("seen") is None else _seen(each["seen"]),
            "expected": each.get("expected") or "–",
            "told": f"{each.get('note', '')} {each.get('remedy', '')}".strip().split("`"),
            "is_wrong": each["status"] in ("fail", "warn"),
        }
        for each in found
    ]
    return {"said": ", ".join(said), "rows": rows}


_SAID = ("failed", "warned", "passed", "skipped")


def _seen(value: Any) -> str:
    return f"{float(value):.4g}"


def _pictured(run: RunRecord, predicted: Predicted | None) -> dict[str, Any]:
    """Returns the figures of a run, and its worst examples, for its page."""
    galleries = [{"title": "Learning curves", "pictures": _curve_pictures(run)}]
    layers = _layer_pictures(run)
    if layers:
        galleries.append({"title": "Layers", "pictures": layers})
    if predicted is None or not predicted.is_finite:
        return {"galleries": galleries, "worst": None}
    pictures = prediction_pictures(predicted)
    if pictures:
        galleries.append({"title": "Test rows", "pictures": pictures})
    worst: dict[str, Any] = {"rows": worst_rows(predicted), "picture": None}
    if has_pictures(predicted):
        draw = picture(
            lambda style: worst_pictures(predicted, style=style),
            "Images of the worst test rows, with the true and the predicted class or value.",
        )
        worst["picture"] = {"title": "Worst test rows", "pictures": [draw]}
    return {"galleries": galleries, "worst": worst}


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
    if value is None or value != value:
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


def notice(metrics: Mapping[str, Any]) -> str:
    """Returns what has to be known of a run before its results, or ""."""
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


def _curve_pictures(run: RunRecord) -> list[dict[str, Any]]:
    history = lists(run)

    def panel(name: str) -> dict[str, Any]:
        values = history.get(f"val_{name}") or history[name]
        first, last = number(values[0]), number(values[-1])
        return picture(
            lambda style: curves(history, best_epoch=run.best_epoch, names=[name], style=style),
            f"{label(name)} over {len(values)} epochs, from {first} to {last}.",
        )

    return [panel(name) for name in panel_names(history)]


def lists(run: RunRecord) -> dict[str, list[float]]:
    """Returns the curves of a run as lists."""
    return {name: values.tolist() for name, values in run.history.items()}


def _layer_pictures(run: RunRecord) -> list[dict[str, Any]]:
    history = lists(run)

    def panel(kind: str) -> dict[str, Any]:
        words = kind.replace("_", " ").capitalize()
        return picture(
            lambda style: layer_curves(history, kind, style=style),
            f"{words} of each layer over {run.length} epochs.",
        )

    return [panel(kind) for kind in layer_kinds(history)]


def prediction_pictures(predicted: Predicted) -> list[dict[str, Any]]:
    """Returns the figures of the test rows: a confusion matrix or residuals, and calibration."""
    y_true, names = predicted.y_true, predicted.names if predicted.is_classes else ()
    found = []
    if predicted.is_classes and len(names) <= _MOST_CLASSES:
        found.append(
            picture(
                lambda style: confusion(y_true, predicted.chosen, class_names=names, style=style),
                "Count of the test rows by true and predicted class.",
            )
        )
    if predicted.is_classes or predicted.kind == "multilabel":
        found.append(
            picture(
                lambda style: calibration(predicted, style=style),
                "How often things are so against how probable the model says they are.",
            )
        )
        return found
    return [
        picture(
            lambda style: fitted(y_true, predicted.outputs, style=style),
            "Predicted against true values of the test rows.",
        ),
        picture(
            lambda style: residuals(y_true, predicted.outputs, style=style),
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
        *_automatic(metrics),
        {"title": "Versions", "rows": list(metrics["versions"].items())},
    ]


def mean_of_networks(count: int) -> str:
    """Returns what the network of a run with several is, in words."""
    return (
        f"the mean of {count}, each trained with other rows held out; the validation scores are "
        "those of the rows held out, the curves those of the first"
    )


def _automatic(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns what a run of `kerasrecipes.runs.auto` inferred and compared; nothing of others."""
    tables = []
    compared = metrics.get("compared")
    if compared is not None and compared["name"] is not None:
        names = {"network": "network", "baseline": compared["name"], "mean": "mean of both"}
        rows = [("Kept", f"{names[compared['kept']]}, for its validation loss")]
        if compared.get("networks", 1) > 1:
            rows.append(("Network", mean_of_networks(compared["networks"])))
        for side, splits in compared["scores"].items():
            for split, values in splits.items():
                listed = (f"{label(n)} {number(v)}" for n, v in values.items())
                rows.append((f"{names[side].capitalize()}, {split}", ", ".join(listed)))
        tables.append({"title": "Against the simplest model", "rows": rows})
    if metrics.get("inferred"):
        rows = [(what[:1].upper() + what[1:], how or "–") for what, how in metrics["inferred"]]
        tables.append({"title": "Inferred, and how to say otherwise", "rows": rows})
    return tables
