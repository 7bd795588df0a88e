"""The folder of a search: what `tune` leaves, and what can be read of it at any time."""

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasrecipes import _run_files
from kerasrecipes._checks import InputError
from kerasrecipes._export import lookup
from kerasrecipes.reporting.search_page import search_page
from kerasrecipes.runs import folder
from kerasrecipes.runs.prepare import Rows, exchange, resolve
from kerasrecipes.runs.schema import Recipe
from kerasrecipes.tuning._gradient import ADAPTED, settled
from kerasrecipes.tuning._records import SEARCH, read_records, read_search
from kerasrecipes.tuning.search_result import SearchResult
from kerasrecipes.tuning.search_space import SearchSpace

TRIALS = "trials.csv"
BEST = "best.toml"


def load_search(directory: str | Path) -> SearchResult:
    """Returns what a search has found so far, from its files alone.

    The search may be complete, running, or have been killed. Neither its data nor its recipe
    function are needed.

    Args:
        directory: Folder of a search, by `tune` or by `kerasrecipes.tuning.search`.

    Raises: InputError for a folder that is none of a search.
    """
    path = Path(directory).expanduser()
    about = read_search(path)
    records = sorted(read_records(path), key=lambda record: record.number)
    try:
        return SearchResult(
            recipe=about["recipe"],
            objective=about["objective"],
            direction=about["direction"],
            records=tuple(records),
            space=space_in(path),
            folder=path,
            seconds=sum(record.seconds for record in records),
            validation_rows=about["validation_rows"],
            ended=_ended(path),
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{path / SEARCH} is damaged: {error!r}.") from error


def summary(directory: str | Path) -> str:
    """Returns what `load_search` finds, as text: trials, warnings, and whether it has ended."""
    result = load_search(directory)
    end = f"ended: {result.ended}" if result.ended else "not ended: it runs, or was killed"
    return f"{result}\n{end}"


def space_in(path: Path, recipe: Any = None) -> SearchSpace:
    """Returns the space of the search in a folder.

    Args:
        path: The folder.
        recipe: The recipe function. Defaults to None: the space tells hyperparameters only.
    """
    return SearchSpace.from_dict(read_search(path)["space"], recipe=recipe or _any_recipe)


def _any_recipe(input_shape: Any, target: Any, **arguments: Any) -> None:
    """Stands for a recipe function that may be in nobody's reach."""


def _ended(path: Path) -> str:
    """Returns why a search ended, "" if it has not."""
    try:
        metrics = json.loads((path / _run_files.METRICS).read_text("utf-8"))
        return str(metrics.get("ended", ""))
    except (OSError, ValueError):
        return ""


def check_resumable(directory: str | Path) -> Path:
    """Returns the folder of a search that `tune` began; anything else is an `InputError`."""
    path = Path(directory).expanduser()
    if not (path / _run_files.RECIPE).is_file():
        raise InputError(
            f"{directory} is not the folder of a search by `kerasrecipes tune`: it has no "
            f"{_run_files.RECIPE}."
        )
    if (path / _run_files.HISTORY).is_file() or folder.holds_checkpoint(path):
        raise InputError(
            f"{directory} is the folder of a run, not of a search. Go on with it by "
            f"`kerasrecipes train --resume {directory}`."
        )
    return path


def discard_empty(path: Path) -> None:
    """Removes the folder of a search that has not begun a trial."""
    if not any(path.glob("trial_*")):
        shutil.rmtree(path, ignore_errors=True)


def write_trials(path: Path, result: SearchResult) -> None:
    """Writes `trials.csv`, a row per trial, and `report.html`."""
    text = result.frame().to_csv(lineterminator="\n")
    folder.write_text(path / TRIALS, text)
    folder.write_text(path / _run_files.REPORT, search_page(result))


def write_best(path: Path, recipe: Recipe, rows: Rows, result: SearchResult) -> None:
    """Writes `best.toml`, which `kerasrecipes train` takes."""
    best = result.best
    scores = ", ".join(f"{score:.4g}" for score in best.scores)
    head = (
        f"# Trial {best.number} of {len(result.records)}, {result.objective} {scores}.\n"
        f"# Written by `kerasrecipes tune`; train it by `kerasrecipes train {BEST}`.\n\n"
    )
    folder.write_text(path / BEST, head + best_recipe(recipe, rows, result).to_toml())


def best_recipe(recipe: Recipe, rows: Rows, result: SearchResult) -> Recipe:
    """Returns a recipe with the arguments of the best trial, rates that it adapted included."""
    best = result.best
    fit = {**recipe.fit, **best.fit}
    if "metric" in recipe.tune:
        fit["monitor"] = result.objective
    model: Mapping[str, Any] = exchange(settled(best, ADAPTED), None, "none")
    changed = dataclasses.replace(recipe, model=model, fit=fit, tune={}, expect={})
    return resolve(changed, rows, lookup("recipe", "recipes", recipe.recipe))
