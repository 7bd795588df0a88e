"""Searches for the best hyperparameters of a recipe file."""

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from kerasrecipes import _run_files
from kerasrecipes._checks import InputError
from kerasrecipes._launched import note_run
from kerasrecipes.runs import _tune_display, folder, search_folder
from kerasrecipes.runs._problems import Problem
from kerasrecipes.runs._tune_ready import Ready
from kerasrecipes.runs._tune_ready import ready as made_ready
from kerasrecipes.runs.execute import evaluate_pair, no_interrupt
from kerasrecipes.runs.load import inspect
from kerasrecipes.runs.prepare import named
from kerasrecipes.runs.result import TuneResult
from kerasrecipes.runs.schema import Recipe
from kerasrecipes.targets.identify import get as get_target
from kerasrecipes.tuning._gradient import Adapting
from kerasrecipes.tuning._hosts import role
from kerasrecipes.tuning._lock import locked
from kerasrecipes.tuning._records import SEARCH
from kerasrecipes.tuning._refit import refit_model
from kerasrecipes.tuning._trainer import TIME_IS_UP
from kerasrecipes.tuning.search import search
from kerasrecipes.tuning.search_result import SearchResult

_CAN_GO_ON = ("Ctrl-C", TIME_IS_UP)


def tune(
    recipe: str | Path,
    *,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    method: str | None = None,
    trials: int | None = None,
    seconds: float | None = None,
    folds: int | None = None,
    repeats: int | None = None,
    workers: int = 1,
    isolate: bool = False,
    seed: int | None = None,
    out: str | Path = "searches",
    quiet: bool = False,
) -> TuneResult:
    """Searches for the hyperparameters of a recipe file that do best on rows it does not train on.

    What is searched is the space of the recipe function, changed by the file's [tune]. What the
    file's [model] and batch size say is the first guess of it, and in it. The test rows take no
    part: the best recipe is trained on training and validation rows, and then evaluated on the
    test rows once.

    The folder `out/<name>/<date>-<time>` gets `recipe.toml`, a folder for each trial, and at the
    end `trials.csv`, `best.toml`, `report.html`, `model.keras` and, last, `metrics.json`; so also
    after Ctrl-C, and when the time is up. A search that was killed goes on with `resume_tune`.

    With KerasTuner's variables (KERASTUNER_TUNER_ID, _ORACLE_IP and _ORACLE_PORT) it is the chief
    of a search over hosts, or a worker, which trains what the chief says and writes nothing.

    Args:
        recipe: Name of a shipped recipe, or path to a TOML file.
        overrides: Keys to set, as for `train`. Defaults to none.
        method: As for `kerasrecipes.tuning.search`. Defaults to None, what [tune] says, else
            "random".
        trials: Trials after which it ends, int >= 1. Defaults to None, what [tune] says; 30 where
            neither it nor `seconds` says when to end.
        seconds: Time after which it ends, float > 0. Defaults to None, what [tune] says.
        folds: Number of folds, int >= 2, that training and validation rows are divided into.
            Defaults to None, what [tune] says, else the validation rows alone judge.
        repeats: How often a trial is trained on each fold. Defaults to None, what [tune] says,
            else 1.
        workers: How many processes of this machine train trials. Defaults to 1, this one.
        isolate: Whether each trial has a process of its own. Defaults to False.
        seed: Replaces the recipe's seed, int >= 0. Defaults to None.
        out: Folder of all searches. Defaults to "searches".
        quiet: Whether to print nothing. Defaults to False.

    Returns:
        The folder, the trials and the metrics.

    Raises:
        InputError: For everything that is wrong with the recipe or its data, before training.

    Example:
    >>> import tempfile
    >>> found = tune(
    ...     "iris-mlp", overrides=["fit.epochs=2"], trials=2, out=tempfile.mkdtemp(), quiet=True
    ... )
    >>> len(found.search.records), sorted(found.test)
    (2, ['accuracy', 'loss'])
    """
    began, started = time.perf_counter(), datetime.now().astimezone()
    given = {"method": method, "trials": trials, "seconds": seconds}
    given |= {"folds": folds, "repeats": repeats}
    loaded, problems = inspect(recipe, overrides=_with_search(overrides, given), seed=seed)
    ready = made_ready(loaded, problems, started, began, workers, isolate, quiet)
    if role() == "worker":
        return _work(ready)
    path = folder.create(out, loaded.name, now=started)
    note_run(path)
    try:
        return _search_in(path, ready)
    except BaseException:
        search_folder.discard_empty(path)
        raise


def _work(ready: Ready) -> TuneResult:
    """Trains what the chief of a search over hosts says."""
    result = _search(None, ready)
    return TuneResult(None, result, {**ready.plan, "metrics": {}, "ended": result.ended})


def resume_tune(
    directory: str | Path,
    *,
    trials: int | None = None,
    seconds: float | None = None,
    workers: int = 1,
    isolate: bool = False,
    quiet: bool = False,
) -> TuneResult:
    """Goes on with a search that was killed or interrupted, or whose time was up, in its folder.

    Trials that have ended are not run again; those that had begun are. What the files of the end
    held is replaced.

    Args:
        directory: Folder of the search, as `tune` makes it.
        trials: A new limit, those that have run included. Defaults to None, the old one.
        seconds: Time from now. Defaults to None, as much as the search had.
        workers: As for `tune`.
        isolate: As for `tune`.
        quiet: Whether to print nothing. Defaults to False.

    Returns:
        The folder, the trials and the metrics.

    Raises:
        InputError: For a folder that is none of a search, a search that is complete, and one whose
            data is no longer what it was.

    Example:
    >>> import tempfile
    >>> resume_tune(tempfile.mkdtemp())
    Traceback (most recent call last):
    ...
    kerasrecipes._checks.InputError: ... is not the folder of a search by `kerasrecipes tune`: ...
    """
    began, started = time.perf_counter(), datetime.now().astimezone()
    path = search_folder.check_resumable(directory)
    _check_incomplete(path, trials, seconds)
    overrides = _with_search((), {"trials": trials, "seconds": seconds})
    loaded, problems = inspect(path / _run_files.RECIPE, overrides=overrides)
    loaded = dataclasses.replace(loaded, name=path.resolve().parent.name)
    ready = made_ready(loaded, problems, started, began, workers, isolate, quiet)
    if (path / SEARCH).is_file():
        ready = dataclasses.replace(ready, space=search_folder.space_in(path, ready.factory))
    if role() == "worker":
        return _work(ready)
    return _search_in(path, ready)


def _with_search(
    overrides: Sequence[str] | Mapping[str, Any], given: Mapping[str, Any]
) -> Sequence[str] | Mapping[str, Any]:
    """Returns the overrides with keys of [tune], so that errors tell where they came from."""
    keys = {f"tune.{name}": value for name, value in given.items() if value is not None}
    if isinstance(overrides, Mapping):
        return {**overrides, **keys}
    return [*overrides, *(f"{n}={json.dumps(value, default=repr)}" for n, value in keys.items())]


def _check_incomplete(path: Path, trials: Any, seconds: Any) -> None:
    if trials is None and seconds is None and (path / _run_files.METRICS).is_file():
        ended = search_folder.load_search(path).ended
        if ended and ended not in _CAN_GO_ON:
            raise InputError(
                f"The search {path} is complete: {ended}. `kerasrecipes tune --show {path}` shows "
                "it; give more trials to go on."
            )


def _search_in(path: Path, ready: Ready) -> TuneResult:
    """Searches in a folder, which no other process may do at the same time."""
    with locked(path):
        folder.write_text(path / _run_files.RECIPE, ready.recipe.to_toml())
        _tune_display.before(ready.console, ready.plan, ready.recipe, ready.space)
        before = _unended(path)
        try:
            result = _search(path, ready)
        except InputError as error:
            if before is not None:
                folder.write_text(path / _run_files.METRICS, before)
            name = named(error, ready.recipe.tune)
            if name is None:
                raise
            raise ready.recipe.places.error([Problem(("tune", name), str(error))]) from error
        return _finish(path, ready, result)


def _unended(path: Path) -> str | None:
    """Takes away, and returns, what says that the search in a folder has ended."""
    metrics = path / _run_files.METRICS
    if not metrics.is_file():
        return None
    text = metrics.read_text("utf-8")
    metrics.unlink()
    return text


def _search(path: Path | None, ready: Ready) -> SearchResult:
    recipe, rows, tune = ready.recipe, ready.rows, ready.recipe.tune
    target = rows.target
    if "folds" in tune:
        data: Any = {"data": ready.known_rows, "folds": tune["folds"]}
        if ready.takes_table:  # then each fold's labels say how they are standardised
            target = get_target(recipe.target)
    else:
        data = {"data": tuple(rows.parts["train"]), "validation": tuple(rows.parts["validation"])}
    return search(
        recipe.recipe,
        None,
        target,
        **data,
        space=ready.space,
        method=tune["method"],
        trials=tune.get("trials"),
        seconds=tune.get("seconds"),
        repeats=tune.get("repeats", 1),
        metric=tune.get("metric", recipe.fit.get("monitor")),
        epochs=recipe.fit["epochs"],
        patience=_patience(recipe),
        batch_size=recipe.fit["batch_size"],
        preprocessing=ready.preprocessing,
        refit=False,
        workers=ready.workers,
        isolate=ready.isolate,
        directory=path,
        seed=recipe.seed,
        quiet=ready.console.quiet,
    )


def _finish(path: Path, ready: Ready, result: SearchResult) -> TuneResult:
    """Writes what came out; the metrics come last, and so say that all is there."""
    with no_interrupt():
        search_folder.write_trials(path, result)
        if result.ranked:
            search_folder.write_best(path, ready.recipe, ready.rows, result)
        _tune_display.found(ready.console, result)
    if result.ranked:
        result = _refit(path, ready, result)
    with no_interrupt():
        metrics = _metrics(path, ready, result)
        folder.write_json(path / _run_files.METRICS, metrics)
    _tune_display.after(ready.console, metrics, path)
    return TuneResult(path, result, metrics)


def _refit(path: Path, ready: Ready, result: SearchResult) -> SearchResult:
    """Trains the best recipe on all rows but the test's, which another Ctrl-C leaves out."""
    data, folds = ready.known_rows, ready.recipe.tune.get("folds")
    judged = len(data[1]) // folds if folds else len(ready.rows.parts["validation"].y)
    ready.console.print(f"training trial {result.best.number} on {len(data[1]):,} rows ...\n")
    target = ready.rows.target.adapt(data[1])
    adapting = Adapting.taking({}, None) if ready.recipe.tune["method"] == "gradient" else None
    try:
        return refit_model(
            result,
            ready.factory,
            target,
            data,
            ready.preprocessing,
            seed=ready.recipe.seed,
            patience=_patience(ready.recipe),
            trained_on=len(data[1]) - judged,
            adapting=adapting,
        )
    except KeyboardInterrupt:
        ready.console.print(
            f"Stopped before the model was trained. Go on: kerasrecipes tune --resume {path}"
        )
        raise


def _metrics(path: Path, ready: Ready, result: SearchResult) -> dict[str, Any]:
    status = [record.status for record in result.records]
    metrics: dict[str, Any] = {
        **ready.plan,
        "objective": result.objective,
        "direction": result.direction,
        "ended": result.ended,
        "complete": result.ended not in _CAN_GO_ON,
        "trials": {name: status.count(name) for name in ("completed", "pruned", "failed")},
        "best": None,
        "metrics": {},
        "warnings": list(result.warnings),
    }
    if result.model is not None:
        best = result.best
        folder.write_with(path / _run_files.MODEL, result.model.save)
        metrics["parameters"] = result.model.count_params()
        metrics["best"] = {"number": best.number, "scores": best.scores, "values": best.values}
        metrics["metrics"] = {
            "test": evaluate_pair(result.model, *ready.rows.parts["test"]),
        }
    seconds = {"search": result.seconds, "total": time.perf_counter() - ready.began}
    return {**metrics, "seconds": seconds}


def _patience(recipe: Recipe) -> int:
    return max(recipe.fit["patience"], 1)
