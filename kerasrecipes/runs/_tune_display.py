"""What `tune` shows on the screen, beside the progress of the search."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from kerasrecipes import _run_files
from kerasrecipes.reporting.html import duration
from kerasrecipes.runs import _display
from kerasrecipes.runs.schema import Recipe
from kerasrecipes.runs.search_folder import BEST, TRIALS
from kerasrecipes.tuning.search_result import SearchResult
from kerasrecipes.tuning.search_space import SearchSpace


def before(console: Console, plan: Mapping[str, Any], recipe: Recipe, space: SearchSpace) -> None:
    """Says what is about to happen; `plan` is the part of the metrics that is known by then."""
    data, fit = plan["data"], recipe.fit
    title = f"[bold]{plan['name']}[/]"
    console.print(f"{title}: {plan['summary']}" if plan["summary"] else title)
    rows = ", ".join(f"{split} {count:,}" for split, count in data["rows"].items())
    _display.facts(
        console,
        [
            ("data", f"{data['source']}, rows of shape {data['shape']}"),
            ("rows", f"{rows}; the test rows are for the end"),
            ("target", plan["target"]["kind"]),
            ("search", f"{recipe.tune['method']}, {_until(recipe)}"),
            ("judged by", _judged_by(recipe, data["rows"])),
            ("fit", f"up to {fit['epochs']} epochs, patience {fit['patience']}"),
            ("seed", str(recipe.seed)),
        ],
    )
    console.print()
    console.print(str(space), markup=False)
    console.print()


def _until(recipe: Recipe) -> str:
    parts = []
    if "trials" in recipe.tune:
        parts.append(f"{recipe.tune['trials']} trials")
    if "seconds" in recipe.tune:
        parts.append(duration(recipe.tune["seconds"]))
    return " or ".join(parts) or "until all is tried"


def _judged_by(recipe: Recipe, rows: Mapping[str, int]) -> str:
    repeats = recipe.tune.get("repeats", 1)
    times = f", {repeats} times" if repeats > 1 else ""
    if "folds" in recipe.tune:
        both = rows["train"] + rows["validation"]
        return f"{recipe.tune['folds']} folds of the {both:,} rows for training{times}"
    return f"the {rows['validation']:,} validation rows{times}"


def found(console: Console, result: SearchResult) -> None:
    """Shows the trials, and what to beware of."""
    console.print()
    console.print(str(result), markup=False)
    console.print()


def after(console: Console, metrics: Mapping[str, Any], path: Path) -> None:
    """Shows how the model does on the test rows, and where everything is."""
    best = metrics["best"]
    if best is not None:
        _display.results(console, metrics["metrics"])
        console.print()
    facts = [
        ("time", f"{duration(metrics['seconds']['total'])} in all"),
        ("search folder", str(path)),
        ("report", str(path / _run_files.REPORT)),
        ("all trials", str(path / TRIALS)),
    ]
    if best is not None:
        facts.insert(0, ("model", f"trial {best['number']}, trained on all rows but the test's"))
        facts.append(("train it again", f"kerasrecipes train {path / BEST}"))
    if not metrics["complete"]:
        facts.append(("go on", f"kerasrecipes tune --resume {path}"))
    _display.facts(console, facts)
