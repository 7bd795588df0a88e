"""From a file or a folder to a trained, checked and reported model within some seconds."""

import dataclasses
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from kerasrecipes import _run_files, reporting, sanity
from kerasrecipes._arrays import take
from kerasrecipes._checks import check_number
from kerasrecipes.callbacks._snapshot import Snapshot
from kerasrecipes.callbacks.callback import Callback
from kerasrecipes.data.batches import batches
from kerasrecipes.recipes.auto import choice
from kerasrecipes.recipes.table_model import Suggestion
from kerasrecipes.runs import _display, execute, folder, schema
from kerasrecipes.runs._baseline import Baseline, baseline, mean_of
from kerasrecipes.runs._inferred import Inferred, inferred
from kerasrecipes.runs._problems import Places, Problem
from kerasrecipes.runs.load import apply
from kerasrecipes.runs.prepare import Prepared, prepare
from kerasrecipes.runs.result import RunResult

_PARTS = {"validation": 0.15, "test": 0.15}
_SLOW_CHECKS = ("overfit", "regularization", "numeric_gradients", "saving")
_LEAST_EPOCHS = 0.4
_OF_OTHERS = Suggestion(40, 32)
_PROBED = 12
_KEPT_BACK = 0.12
_LEAST_KEPT_BACK = 3.0
_CAUTION = 1.15


def auto(
    data: str | Path,
    target: str | None = None,
    *,
    seconds: float = 60.0,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    seed: int = 0,
    out: str | Path = "runs",
    quiet: bool = False,
) -> RunResult:
    """Trains a model for a file or a folder within some seconds, and reports on it.

    What the data are is inferred, and said with the way to say otherwise. 15 % of the rows are
    held out for validation and as many for the test. Logistic or ridge regression is fitted to
    the training rows, then a network of the recipe for data of this kind
    (`kerasrecipes.recipes.auto`), for as many epochs as the time allows and the recipe suggests:
    a few steps are timed before; where too few epochs would be left, the network is made smaller.
    Of the network, the regression and the mean of their predictions, the one with the lowest loss
    on the validation rows is the model, so that a network is never kept where it is worse. All
    this is in the time.

    The run folder is that of `train`, with `checks.json`, what `kerasrecipes.sanity.check` found
    but for its slow checks. `metrics.json` has the scores of all as "compared", and what was
    inferred as "inferred"; so has `report.html`.

    Args:
        data: A csv (any of the usual separators, compressed or not) or parquet file with a header,
            or a folder with a sub-folder of images or .txt files for each class.
        target: The column to predict, for a file. Defaults to None: one named target, label,
            class, y, outcome or response, else the last one.
        seconds: Time for everything, from the call on, float > 0. Importing TensorFlow comes on
            top. Less than about 20 leaves little for training. Defaults to 60.
        overrides: Keys of the recipe to set, as for `train`. With "fit.epochs" nothing is timed.
        seed: Of the split, the weights, the order of rows and the dropout, int >= 0. Defaults to
            0.
        out: Folder of all runs. Defaults to "runs".
        quiet: Whether to print nothing. Defaults to False.

    Returns:
        The folder, the metrics and the history.

    Raises:
        InputError: For everything that is wrong with the data or the arguments, before training.

    Example:
    >>> import pathlib, tempfile
    >>> from sklearn.datasets import load_iris
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> load_iris(as_frame=True).frame.to_csv(folder / "iris.csv", index=False)
    >>> run = auto(folder / "iris.csv", seconds=20, out=folder / "runs", quiet=True)
    >>> sorted(run.metrics["compared"]["scores"])
    ['baseline', 'mean', 'network']
    """
    began, started = time.perf_counter(), datetime.now().astimezone()
    deadline = began + check_number("seconds", seconds, low=0.0, open_low=True)
    console = _display.new_console(quiet)
    found = inferred(data, target)
    _display.inferred(console, found.notes)
    prepared, given = _prepared(found, data, overrides, seed)
    linear = baseline(prepared.recipe.recipe, prepared.rows, prepared.recipe.seed)
    checks = sanity.check(
        prepared.model,
        tuple(prepared.rows.parts["train"]),
        validation_data=tuple(prepared.rows.parts["validation"]),
        skip=_SLOW_CHECKS,
        steps=1,
        max_rows=5_000,
    )
    prepared = _sized(prepared, given, began, deadline)
    plan = {**execute.plan_of(prepared, started), "model": prepared.recipe.model}
    plan["inferred"] = [list(note) for note in found.notes]
    run = folder.create(out, prepared.recipe.name, now=started)
    try:
        folder.write_text(run / _run_files.RECIPE, prepared.recipe.to_toml())
        folder.write_json(run / _run_files.CHECKS, checks.to_dict())
        return _train(run, prepared, linear, plan, console, began, deadline)
    except BaseException:
        folder.discard_untrained(run)
        raise


def _prepared(
    found: Inferred, data: Any, overrides: Any, seed: int
) -> tuple[Prepared, dict[str, Any]]:
    """Returns data and model, and what the caller has set of [fit] and [model]."""
    set_by_hand: dict[str, Any] = {}
    problems = apply(set_by_hand, overrides)
    path = Path(data).expanduser()
    kind = found.recipe
    tables: dict[str, Any] = {
        "recipe": kind,
        "summary": f"{path.name}, by `kerasrecipes fit`",
        "seed": seed,
        "data": found.data,
        "split": dict(_PARTS),
    }
    if kind == "cnn":
        tables["preprocessing"] = {"axis": "none"}
    problems += apply(tables, overrides)
    # Relative paths in a recipe start from its own folder; those of this one are absolute.
    places = Places(Path.cwd() / f"{path.name.split('.')[0]}.toml", {})
    recipe, more = schema.check(tables, path=places.path, places=places)
    prepared = _with_choice(recipe, [*problems, *more], set_by_hand)
    return prepared, {name: set_by_hand.get(name, {}) for name in ("fit", "model")}


def _with_choice(recipe: Any, problems: list[Problem], given: dict[str, Any]) -> Prepared:
    """Returns data and model with the batch size and the epochs that suit them."""
    prepared = prepare(recipe, problems)
    own = getattr(prepared.model, "suggestion", None)
    suggested = own or choice(prepared.rows.parts["train"].x).suggestion or _OF_OTHERS
    fit = {**recipe.fit, "epochs": suggested.epochs, "batch_size": suggested.batch_size}
    fit |= given.get("fit", {})
    if "patience" not in given.get("fit", {}):
        fit["patience"] = fit["epochs"]  # the best epoch comes back, and the rate falls to its end
    return dataclasses.replace(prepared, recipe=dataclasses.replace(prepared.recipe, fit=fit))


def _sized(prepared: Prepared, given: dict[str, Any], began: float, deadline: float) -> Prepared:
    """Returns a network, and epochs for it, that fit into the time that is left."""
    if "epochs" in given["fit"]:
        return prepared
    suggested = prepared.recipe.fit["epochs"]
    affordable = _affordable(prepared, began, deadline)
    chosen = choice(prepared.rows.parts["train"].x)
    if affordable < _LEAST_EPOCHS * suggested and chosen.recipe == prepared.recipe.recipe:
        model = {**prepared.recipe.model, **_as_toml(chosen.smaller), **given["model"]}
        prepared = prepare(dataclasses.replace(prepared.recipe, model=model))
        affordable = _affordable(prepared, began, deadline)
    epochs = max(1, min(suggested, affordable))
    fit = {**prepared.recipe.fit, "epochs": epochs, "patience": epochs}
    return dataclasses.replace(prepared, recipe=dataclasses.replace(prepared.recipe, fit=fit))


def _as_toml(arguments: dict[str, Any]) -> dict[str, Any]:
    return {n: list(v) if isinstance(v, tuple) else v for n, v in arguments.items()}


def _affordable(prepared: Prepared, began: float, deadline: float) -> int:
    """Returns how many epochs there is time for, from a few steps that are taken back."""
    rows, recipe = prepared.rows, prepared.recipe
    size = recipe.fit["batch_size"]
    count = len(rows.parts["train"].y)
    some = np.arange(min(count, _PROBED * size))
    x, y = (take(each, some) for each in rows.parts["train"])
    clock = _Clock()
    with Snapshot(prepared.model).kept():
        prepared.model.fit(
            batches(x, y, batch_size=min(size, len(some)), seed=0),
            validation_data=rows.parts["validation"],
            epochs=3,
            callbacks=[clock],
            verbose=0,
        )
    first, *others = clock.epochs
    validation = min(clock.validations)
    epoch = min(others) - validation
    per_epoch = _CAUTION * (epoch * max(1.0, count / len(some)) + validation)
    left = deadline - time.perf_counter() - (first - min(others)) - _kept_back(deadline - began)
    return int(left / per_epoch)


def _kept_back(seconds: float) -> float:
    """Returns the time for scores, files and the report."""
    return max(_LEAST_KEPT_BACK, _KEPT_BACK * seconds)


class _Clock(Callback):
    """Times the epochs, and the validation in them."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[float] = []
        self.validations: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._began = time.perf_counter()

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Starts the clock of the validation."""
        self._test_began = time.perf_counter()

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Notes the time of the validation."""
        self.validations.append(time.perf_counter() - self._test_began)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Notes the time."""
        self.epochs.append(time.perf_counter() - self._began)


def _train(
    run: Path,
    prepared: Prepared,
    linear: Baseline | None,
    plan: dict[str, Any],
    console: Console,
    began: float,
    deadline: float,
) -> RunResult:
    """Trains the network into its folder, and keeps the best of what there is."""
    _display.before(console, plan, run)
    left = max(1.0, deadline - time.perf_counter() - _kept_back(deadline - began) / 2)
    outcome = execute.fit_in(run, prepared, console, seconds=left)
    with execute.no_interrupt():
        models = _candidates(prepared, linear)
        compared = _compared(models, prepared, linear)
        prepared = dataclasses.replace(prepared, model=models[compared["kept"]])
        plan["parameters"] = prepared.model.count_params()
        metrics = execute.save_in(run, prepared, {**plan, "compared": compared}, outcome, began)
        reporting.report(run, path=run / _run_files.REPORT)
    if not metrics["interrupted"]:
        shutil.rmtree(run / _run_files.CHECKPOINT, ignore_errors=True)
    _display.after(console, metrics, run)
    _display.compared(console, compared)
    return RunResult(run, metrics, outcome["history"])


def _candidates(prepared: Prepared, linear: Baseline | None) -> dict[str, keras.Model]:
    """Returns the network, and if there is one the linear model and the mean of both."""
    found = {"network": prepared.model}
    if linear is not None:
        target = prepared.rows.target
        found |= {"baseline": linear.model, "mean": mean_of(prepared.model, linear.model, target)}
    return found


def _compared(
    models: Mapping[str, keras.Model], prepared: Prepared, linear: Baseline | None
) -> dict[str, Any]:
    """Returns the scores of all on validation and test rows, and which one is kept."""
    scores = {name: _scores(model, prepared) for name, model in models.items()}
    losses = {name: each["validation"]["loss"] for name, each in scores.items()}
    return {
        "kept": lowest(losses),
        "name": None if linear is None else linear.name,
        "seconds": None if linear is None else linear.seconds,
        "scores": scores,
    }


def lowest(losses: Mapping[str, float]) -> str:
    """Returns the name of the lowest loss, the first of equal ones; NaN is never the lowest.

    Example:
    >>> lowest({"network": float("nan"), "baseline": 0.5, "mean": 0.5})
    'baseline'
    """
    return min(losses, key=lambda name: losses[name] if losses[name] == losses[name] else np.inf)


def _scores(model: keras.Model, prepared: Prepared) -> dict[str, dict[str, float]]:
    parts = prepared.rows.parts
    return {
        name: execute.evaluate_pair(model, parts[name].x, parts[name].y)
        for name in ("validation", "test")
    }
