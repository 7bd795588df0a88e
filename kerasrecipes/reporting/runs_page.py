"""The page of several runs."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerasrecipes.diagnosis.result import Diagnosis
from kerasrecipes.diagnosis.run_record import RunRecord
from kerasrecipes.reporting import html
from kerasrecipes.reporting.comparison import compared_names, comparison
from kerasrecipes.reporting.curves import label
from kerasrecipes.reporting.html import duration, number
from kerasrecipes.reporting.predicted import Predicted

_RUNS_DRAWN = 7
_SAME = ("name", "summary")


class Described(NamedTuple):
    """A run, with what its folder has.

    Attributes:
        run: Its record.
        metrics: What its `metrics.json` holds, or None.
        predicted: Predictions of its test rows, or None.
        checks: Its checks before training, or None.
    """

    run: RunRecord
    metrics: Mapping[str, Any] | None = None
    predicted: Predicted | None = None
    checks: Mapping[str, Any] | None = None


def runs_page(described: Sequence[Described], diagnosis: Diagnosis) -> str:
    """Returns the page of several runs side by side, which needs no other file and no network."""
    names = short_names([each.run for each in described])
    judged = [
        {
            "name": name,
            "findings": [html.finding_part(f) for f in diagnosis.of(each.run.name)],
            "checks": html.check_part(each.checks),
            "notice": html.notice(each.metrics) if each.metrics else "",
        }
        for name, each in zip(names, described, strict=True)
    ]
    return html.TEMPLATES.get_template("runs.html.j2").render(
        title=f"{len(described)} runs",
        names=names,
        paths=[each.run.name for each in described],
        rows=_rows(described),
        differences=_differences([each.run for each in described]),
        together=[html.finding_part(finding) for finding in diagnosis.of("")],
        judged=judged,
        galleries=_galleries(names, described),
    )


def short_names(runs: Sequence[RunRecord]) -> list[str]:
    """Returns what tells runs apart: the last parts of their folders, else their names.

    Example:
    >>> curves = {"loss": [1.0]}
    >>> folders = [Path("runs/a/1"), Path("runs/a/2")]
    >>> short_names([RunRecord(str(f), curves, folder=f) for f in folders])
    ['1', '2']
    >>> folders = [Path("runs/a/1"), Path("runs/b/2")]
    >>> short_names([RunRecord(str(f), curves, folder=f) for f in folders])
    ['a/1', 'b/2']
    """
    folders = [run.folder for run in runs]
    recipes = {Path(f).absolute().parent for f in folders if f}
    for depth in (1, 2, 3)[len(recipes) > 1 :]:
        parts = ["/".join(Path(f).absolute().parts[-depth:]) if f else "" for f in folders]
        if "" not in parts and len(set(parts)) == len(parts):
            return parts
    return [run.name for run in runs]


def _rows(described: Sequence[Described]) -> list[dict[str, Any]]:
    """Returns a row for each number that the runs are compared by."""
    columns = [dict(_numbers(each)) for each in described]
    titles = dict.fromkeys(title for column in columns for title in column)
    return [{"title": t, "cells": [column.get(t, "–") for column in columns]} for t in titles]


def _numbers(each: Described) -> Iterator[tuple[str, str]]:
    run, metrics = each.run, each.metrics
    if metrics is not None:
        for split in ("test", "validation"):
            for name, value in metrics["metrics"].get(split, {}).items():
                yield f"{label(name)}, {split}", number(value)
    else:
        for name in ("loss", "val_loss"):
            values = run.curve(name)
            if values is not None:
                side = "validation" if name.startswith("val_") else "training"
                yield f"Loss, {side}", number(float(values[run.kept]))
    yield "Best epoch", str(run.best + 1)
    yield "Epochs", str(run.length)
    if metrics is not None:
        yield "Training time", duration(metrics["seconds"]["fit"])
        yield "Parameters", f"{metrics['parameters']:,}"
        yield "Seed", str(metrics["seed"])


def _differences(runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Returns the keys of the recipes that are not the same everywhere."""
    tables = [dict(_flat(run.recipe)) for run in runs]
    keys = dict.fromkeys(key for table in tables for key in table)
    return [
        {"title": key, "cells": [str(table.get(key, "–")) for table in tables]}
        for key in keys
        if key not in _SAME and len({str(table.get(key)) for table in tables}) > 1
    ]


def _flat(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _galleries(names: Sequence[str], described: Sequence[Described]) -> list[dict[str, Any]]:
    shown = list(zip(names, described, strict=True))[:_RUNS_DRAWN]
    histories = {name: html.lists(each.run) for name, each in shown}
    best = {name: each.run.best_epoch for name, each in shown}
    pictures = [
        html.picture(
            lambda style, n=name: comparison(histories, best_epochs=best, names=[n], style=style),
            f"{label(name)} of the runs {', '.join(histories)} over the epochs.",
        )
        for name in compared_names(list(histories.values()))
    ]
    galleries = [{"title": "Learning curves", "pictures": pictures}]
    for name, each in shown:
        if each.predicted is not None and each.predicted.is_finite:
            found = html.prediction_pictures(each.predicted)
            for drawn in found:
                drawn["alt"] = f"{name}: {drawn['alt']}"
            galleries.append({"title": f"Test rows of {name}", "pictures": found})
    return galleries
