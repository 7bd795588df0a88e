"""One self-contained page for a search."""

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from kerasrecipes.reporting import html
from kerasrecipes.reporting.curves import label
from kerasrecipes.reporting.html import duration, number
from kerasrecipes.reporting.search import (
    search_curves,
    search_importance,
    search_scores,
    search_values,
    value_names,
)
from kerasrecipes.reporting.style import Style

_ROWS = 20
_PANELS = 12


def search_page(result: Any) -> str:
    """Returns the page of one search, which needs no other file and no network.

    It shows the best trials, the warnings, the score of each trial and against each of the most
    important hyperparameters, the importance of these, the learning curves and the best recipe,
    on a phone as well as on a screen, light or dark as the reader's system is. A search in which
    all trials failed has a page too, which says why.

    Args:
        result: A `kerasrecipes.tuning.SearchResult`.

    Returns:
        The text of an HTML file.

    Example:
    >>> import types
    >>> import keras_tuner
    >>> from kerasrecipes.tuning.search_result import SearchResult
    >>> space = types.SimpleNamespace(hyperparameters=keras_tuner.HyperParameters)
    >>> result = SearchResult(
    ...     recipe="mlp", objective="val_loss", direction="min", records=(), space=space
    ... )
    >>> "0 trials" in search_page(result)
    True
    """
    done = bool(result.ranked)
    better = "higher" if result.direction == "max" else "lower"
    names, count = [axis.name for axis in result.axes], len(result.records)
    return html.TEMPLATES.get_template("search.html.j2").render(
        name=f"Search of {result.recipe}",
        objective=result.objective,
        summary=f"{count} trial{'s' * (count != 1)} by {result.objective}; {better} is better",
        tiles=_tiles(result),
        warnings=[sentence.split("`") for sentence in result.warnings],
        columns=_columns(names),
        rows=_rows(result, names) if done else [],
        choice=f"★ {result.choice}." if done else "",
        galleries=_galleries(result) if done else [],
        recipe=result.to_toml() if done else "",
    )


def _tiles(result: Any) -> list[dict[str, str]]:
    tiles = []
    if result.ranked:
        best = result.best
        tiles = [
            {"title": f"{label(result.objective)}, best trial", "value": number(best.score)},
            {"title": "Best trial", "value": str(best.number)},
        ]
        if result.standard_error is not None:
            tiles.insert(1, {"title": "Standard error", "value": number(result.standard_error)})
    done = f"{len(result.ranked)} of {len(result.records)}"
    tiles.append({"title": "Completed trials", "value": done})
    tiles.append({"title": "Search time", "value": duration(result.seconds)})
    return tiles


def _columns(names: list[str]) -> list[str]:
    return ["Rank", "Trial", "Mean", "s.e.", *map(label, names), "Seconds", "Epochs", "Runs"]


def _rows(result: Any, names: list[str]) -> list[dict[str, Any]]:
    best = result.best
    frame = result.frame()
    return [
        {
            "rank": rank,
            "chosen": trial is best,
            "cells": _cells(trial, frame.loc[trial.number], names),
        }
        for rank, trial in enumerate(result.ranked, 1)
        if rank <= _ROWS or trial is best
    ]


def _cells(trial: Any, row: Any, names: list[str]) -> list[str]:
    return [
        str(trial.number),
        number(trial.score),
        f"{row['standard_error']:.2g}" if len(trial.scores) > 1 else "–",
        *(_text(trial.values.get(name, trial.values.get(f"{name}/kind"))) for name in names),
        f"{trial.seconds:.1f}",
        " ".join(map(str, trial.epochs)),
        " ".join(map(number, trial.scores)),
    ]


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _galleries(result: Any) -> list[dict[str, Any]]:
    trials = [_picture(search_scores, result, "Score of each trial, and the best so far.")]
    if any(curve for trial in result.ranked for curve in trial.curves):
        text = f"{label(result.objective)} over the epochs of each trial, by rank."
        trials.append(_picture(search_curves, result, text))
    galleries = [{"title": "Trials", "pictures": trials}]
    causes = [_value_picture(result, name) for name in value_names(result)[:_PANELS]]
    if result.importance():
        shares = [f"{label(n)} {100 * share:.0f} %" for n, share in result.importance().items()]
        text = f"Share of the variance of the scores: {', '.join(shares)}."
        causes.insert(0, _picture(search_importance, result, text))
    if causes:
        galleries.append({"title": "Hyperparameters", "pictures": causes})
    return galleries


def _picture(draw: Callable[..., Figure], result: Any, text: str) -> dict[str, Any]:
    return html.picture(lambda style: draw(result, style=style), text)


def _value_picture(result: Any, name: str) -> dict[str, Any]:
    def draw(style: Style) -> Figure:
        return search_values(result, names=[name], style=style)

    return html.picture(draw, f"Score of the trials against {label(name).lower()}.")
