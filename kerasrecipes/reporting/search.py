"""Figures of a search: what its trials scored, by what, and how they learned."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from kerasrecipes._checks import InputError, check_choice
from kerasrecipes.reporting.curves import label
from kerasrecipes.reporting.style import LIGHT, Style, dress, new_figure

_WIDTH, _HEIGHT = 4.8, 3.1
_WIDE = 50.0
_FEW = 8
_BARS = 10
_BEST = "best"


def search_scores(result: Any, *, style: Style = LIGHT) -> Figure:
    """Draws the score of each trial in their order, with the best so far.

    Failed trials are crosses at the foot. What is far worse than most lies outside, and is marked
    by a triangle at the edge.

    Args:
        result: A `kerasrecipes.tuning.SearchResult`.
        style: Colours. Defaults to light paper.

    Example:
    >>> from kerasrecipes.tuning.search_result import SearchResult
    >>> from kerasrecipes.tuning.trial_record import TrialRecord
    >>> trial = TrialRecord(1, "00", {}, {}, {}, "completed", (0.5,), 0.5, (3,), 1.0)
    >>> result = SearchResult(
    ...     recipe="mlp", objective="val_loss", direction="min", records=(trial,), space=None
    ... )
    >>> search_scores(result).axes[0].get_xlabel()
    'Trial'
    """
    order = _ranked(result)
    figure = new_figure(_WIDTH, _HEIGHT, style)
    axes = figure.add_subplot()
    dress(axes, style, title="Score of each trial", x_label="Trial", y_label=_score(result))
    for title, trials, filled in (
        ("completed", order, True),
        ("pruned", _finite(_with_status(result, "pruned")), False),
    ):
        if trials:
            _points(axes, [t.number for t in trials], trials, result, style, title, filled)
    _failed(axes, result, style)
    done = sorted(order, key=lambda trial: trial.number)
    better = np.minimum if result.direction == "min" else np.maximum
    so_far = better.accumulate([trial.score for trial in done])
    last = max(trial.number for trial in result.records)
    axes.step(
        [*(trial.number for trial in done), last],
        [*so_far, so_far[-1]],
        where="post",
        color=style.validation,
        linewidth=1.8,
        label="best so far",
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, titles = axes.get_legend_handles_labels()
    _legend_below(figure, handles, titles, style)
    return figure


def search_values(
    result: Any, *, names: Sequence[str] | None = None, style: Style = LIGHT
) -> Figure:
    """Draws the score against each hyperparameter; its axis is logarithmic where its range is.

    Trials in which a hyperparameter is inactive are left out. The chosen trial is marked.

    Args:
        result: A `kerasrecipes.tuning.SearchResult`.
        names: Hyperparameters to draw. Defaults to None, all, the most important first.
        style: Colours. Defaults to light paper.

    Example:
    >>> import keras_tuner, types
    >>> from kerasrecipes.tuning.search_result import SearchResult
    >>> from kerasrecipes.tuning.trial_record import TrialRecord
    >>> space = keras_tuner.HyperParameters()
    >>> _ = space.Float("learning_rate", 1e-4, 1.0, sampling="log")
    >>> trial = TrialRecord(
    ...     1, "00", {"learning_rate": 0.1}, {}, {}, "completed", (0.5,), 0.5, (3,), 1.0
    ... )
    >>> result = SearchResult(
    ...     recipe="mlp", objective="val_loss", direction="min", records=(trial,),
    ...     space=types.SimpleNamespace(hyperparameters=lambda: space),
    ... )
    >>> search_values(result).axes[0].get_xscale()
    'log'
    """
    by_name = {axis.name: axis for axis in result.axes}
    chosen = value_names(result) if names is None else list(names)
    for name in chosen:
        check_choice("names", name, by_name)
    if not chosen:
        raise InputError("`result` must have a hyperparameter that varies. Received none.")
    columns = min(len(chosen), 3)
    rows = math.ceil(len(chosen) / columns)
    figure = new_figure(_WIDTH * columns, _HEIGHT * rows, style)
    for position, name in enumerate(chosen, 1):
        _value_panel(figure.add_subplot(rows, columns, position), by_name[name], result, style)
    return figure


def value_names(result: Any) -> list[str]:
    """Returns the hyperparameters that vary and that a trial had, the most important first."""
    had = {name.removesuffix("/kind") for trial in result.ranked for name in trial.values}
    names = [axis.name for axis in result.axes if axis.name in had or not had]
    shares = result.importance()
    return sorted(names, key=lambda name: -shares.get(name, 0.0))


def search_importance(result: Any, *, style: Style = LIGHT) -> Figure:
    """Draws the share of the scores' variance that each hyperparameter causes.

    Beyond ten hyperparameters the least important ones are one bar together.

    Args:
        result: A `kerasrecipes.tuning.SearchResult` with enough trials to tell.
        style: Colours. Defaults to light paper.

    Raises: InputError if the importance is unknown; `result.warnings` say why.

    Example:
    >>> import types
    >>> result = types.SimpleNamespace(importance=lambda: {"learning_rate": 0.75, "l2": 0.25})
    >>> [text.get_text() for text in search_importance(result).axes[0].texts]
    ['75 %', '25 %']
    """
    shares = {label(name): share for name, share in result.importance().items()}
    if not shares:
        raise InputError("`result` must tell the importance. Received none: see its warnings.")
    if len(shares) > _BARS:
        others = list(shares)[_BARS - 1 :]
        shares[f"{len(others)} others"] = sum(map(shares.pop, others))
    figure = new_figure(_WIDTH, max(0.9 + 0.26 * len(shares), 1.6), style)
    axes = figure.add_subplot()
    dress(axes, style, title="Importance", x_label="Share of the variance of the scores, %")
    bars = axes.barh(
        list(shares),
        [100 * share for share in shares.values()],
        color=style.train,
        height=0.65,
    )
    axes.bar_label(
        bars,
        [f"{100 * share:.0f} %" for share in shares.values()],
        padding=3,
        color=style.ink,
        fontsize=9,
    )
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.margins(x=0.14)
    return figure


def search_curves(result: Any, *, style: Style = LIGHT) -> Figure:
    """Draws the objective over the epochs of each trial, the mean of its runs.

    The chosen trial stands out; of the others, the better a trial the stronger its colour. Pruned
    trials are dotted.

    Args:
        result: A `kerasrecipes.tuning.SearchResult` whose records have curves.
        style: Colours. Defaults to light paper.

    Raises: InputError if no completed trial has a curve.

    Example:
    >>> from kerasrecipes.tuning.search_result import SearchResult
    >>> from kerasrecipes.tuning.trial_record import TrialRecord
    >>> trial = TrialRecord(
    ...     1, "00", {}, {}, {}, "completed", (0.5,), 0.5, (2,), 1.0, curves=((0.9, 0.5),)
    ... )
    >>> result = SearchResult(
    ...     recipe="mlp", objective="val_loss", direction="min", records=(trial,), space=None
    ... )
    >>> search_curves(result).axes[0].get_xlabel()
    'Epoch'
    """
    order = [trial for trial in _ranked(result) if _curve(trial).size]
    if not order:
        raise InputError("`result` must have a completed trial with a curve. Received none.")
    figure = new_figure(_WIDTH, _HEIGHT, style)
    axes = figure.add_subplot()
    dress(axes, style, title="Learning curves", x_label="Epoch", y_label=_score(result))
    for trial in _with_status(result, "pruned"):
        _line(axes, trial, color=style.ink, linewidth=0.8, alpha=0.5, linestyle=":", label="pruned")
    best = result.best
    for rank, trial in reversed(list(enumerate(order))):
        strength = 1.0 - 0.85 * rank / max(len(order) - 1, 1)
        if trial is not best:
            colour = style.ramp(strength)
            _line(axes, trial, color=colour, linewidth=1.1, label="others, stronger is better")
    _line(axes, best, color=style.validation, linewidth=2.2, label=f"{_BEST}, trial {best.number}")
    values = np.concatenate([_curve(trial) for trial in order])
    _scale(axes, values[np.isfinite(values)], result.direction)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    handles, titles = axes.get_legend_handles_labels()
    once = dict(zip(titles, handles, strict=True))
    _legend_below(figure, list(once.values())[::-1], list(once)[::-1], style)
    return figure


def _value_panel(axes: Axes, axis: Any, result: Any, style: Style) -> None:
    trials = [trial for trial in _ranked(result) if axis.name in trial.values]
    dress(axes, style, title=label(axis.name), x_label="", y_label=_score(result))
    values = [trial.values[axis.name] for trial in trials]
    if axis.choices:
        places = [axis.choices.index(value) for value in values]
        spread = np.random.default_rng(0).uniform(-0.18, 0.18, len(places))
        x = np.array(places) + spread  # side by side, so that equal choices do not hide each other
        axes.set_xticks(range(len(axis.choices)), list(map(_name, axis.choices)))
        axes.set_xlim(-0.5, len(axis.choices) - 0.5)
        axes.grid(False, axis="x")
        if sum(len(_name(each)) for each in axis.choices) > 34:
            for tick in axes.get_xticklabels():
                tick.set(rotation=30, ha="right", rotation_mode="anchor")
    else:
        x = np.array(values, "float64")
        _ticks(axes, values, axis.log)
    _points(axes, x, trials, result, style, "completed", True)
    best = [place for place, trial in zip(x, trials, strict=True) if trial is result.best]
    if best:
        axes.scatter(
            best,
            [result.best.score],
            s=130,
            marker="*",
            color=style.validation,
            edgecolors=style.paper,
            linewidths=0.6,
            zorder=5,
            label=_BEST,
        )


def _ticks(axes: Axes, values: Sequence[float], log: bool) -> None:
    """Labels every value where there are few, else decades, and parts of them if few are seen."""
    axes.set_xscale("log" if log else "linear")
    found = sorted(set(values))
    if 1 < len(found) <= _FEW and all(isinstance(value, int) for value in found):
        axes.set_xticks(found, list(map(str, found)))
        axes.minorticks_off()
    elif log:
        narrow = len(found) < 2 or found[-1] / found[0] < 30
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if narrow else (1.0,)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())


def _points(
    axes: Axes,
    x: Iterable[float],
    trials: Sequence[Any],
    result: Any,
    style: Style,
    title: str,
    filled: bool,
) -> None:
    """Draws a point a trial; those beyond the limits become triangles at the edge."""
    bottom, top, log = _limits([trial.score for trial in _ranked(result)], result.direction)
    scores = np.array([trial.score for trial in trials], "float64")
    x = np.fromiter(x, "float64", len(scores))
    inside = (scores >= bottom) & (scores <= top)
    looks = {"edgecolors": style.train, "linewidths": 0.0 if filled else 1.0}
    face = style.train if filled else "none"
    axes.scatter(x[inside], scores[inside], s=22, c=face, alpha=0.7, label=title, **looks)
    if not inside.all():
        edge, marker = (top, "^") if result.direction == "min" else (bottom, "v")
        axes.scatter(
            x[~inside],
            np.full((~inside).sum(), edge),
            s=28,
            c=face,
            marker=marker,
            alpha=0.7,
            clip_on=False,
            **looks,
        )
    axes.set_yscale("log" if log else "linear")
    axes.set_ylim(bottom, top)


def _failed(axes: Axes, result: Any, style: Style) -> None:
    kept = {id(trial) for trial in (*_ranked(result), *_with_status(result, "pruned"))}
    numbers = [trial.number for trial in result.records if id(trial) not in kept]
    if numbers:
        axes.scatter(
            numbers,
            np.full(len(numbers), 0.03),
            s=26,
            marker="x",
            color=style.ink,
            linewidths=1.2,
            transform=axes.get_xaxis_transform(),
            label="failed",
        )


def _limits(scores: Sequence[float], direction: str) -> tuple[float, float, bool]:
    """Returns an interval with all scores but the far worse (Tukey's fence), and whether log."""
    log = direction == "min" and min(scores) > 0 and max(scores) / min(scores) > _WIDE
    found = np.log(scores) if log else np.array(scores)
    lower, upper = np.quantile(found, [0.25, 0.75])
    fence = 1.5 * (upper - lower)
    low, high = found.min(), found.max()
    if direction == "min":
        high = min(high, upper + fence)
    else:
        low = max(low, lower - fence)
    pad = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    ends = np.array([low - pad, high + pad])
    bottom, top = (np.exp(ends) if log else ends).tolist()
    return bottom, top, log


def _scale(axes: Axes, values: np.ndarray, direction: str) -> None:
    """Leaves the worst of the first epochs outside, or takes a logarithmic axis for a loss."""
    if direction == "min" and values.min() > 0 and values.max() / values.min() > _WIDE:
        axes.set_yscale("log")
        return
    worst, best = np.quantile(values, [0.97, 0.0] if direction == "min" else [0.03, 1.0])
    pad = 0.04 * (best - worst) or 0.05
    axes.set_ylim(*sorted((worst - pad, best + pad)))


def _legend_below(figure: Figure, handles: list[Any], titles: list[str], style: Style) -> None:
    figure.legend(
        handles,
        titles,
        frameon=False,
        fontsize=8,
        labelcolor=style.ink,
        ncols=4,
        loc="outside lower left",
    )


def _line(axes: Axes, trial: Any, **looks: Any) -> None:
    values = _curve(trial)
    marker = "o" if len(values) == 1 else ""
    axes.plot(np.arange(1, len(values) + 1), values, marker=marker, markersize=3, **looks)


def _curve(trial: Any) -> np.ndarray:
    """Returns the mean of a trial's runs, over the epochs that all of them have."""
    length = min((len(curve) for curve in trial.curves), default=0)
    if not length:
        return np.empty(0)
    return np.mean([curve[:length] for curve in trial.curves], axis=0)


def _ranked(result: Any) -> Sequence[Any]:
    if not result.ranked:
        raise InputError("`result` must have a completed trial. Received none.")
    return result.ranked


def _with_status(result: Any, status: str) -> list[Any]:
    return [trial for trial in result.records if trial.status == status]


def _finite(trials: Iterable[Any]) -> list[Any]:
    return [trial for trial in trials if trial.score is not None and math.isfinite(trial.score)]


def _score(result: Any) -> str:
    return label(result.objective.removeprefix("val_")) + (
        ", validation" if result.objective.startswith("val_") else ""
    )


def _name(choice: Any) -> str:
    return f"{choice:g}" if isinstance(choice, float) else str(choice)
