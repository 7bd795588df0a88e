"""From a file or a folder to a trained, checked and reported model within some seconds."""

import dataclasses
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from kerasrecipes import _run_files, sanity
from kerasrecipes._arrays import take
from kerasrecipes._checks import InputError, check_int, check_number
from kerasrecipes.callbacks._snapshot import Snapshot
from kerasrecipes.callbacks.callback import Callback
from kerasrecipes.data.batches import batches
from kerasrecipes.recipes.auto import choice
from kerasrecipes.recipes.table_model import Suggestion
from kerasrecipes.runs import _display, execute, folder, schema
from kerasrecipes.runs._baseline import Baseline, baseline
from kerasrecipes.runs._comparison import compare
from kerasrecipes.runs._inferred import Inferred, inferred
from kerasrecipes.runs._networks import CAUTION, Network, judged, more
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


@dataclasses.dataclass(frozen=True, eq=False)
class _Ready:
    """All that the training needs.

    Attributes:
        prepared: The network with its recipe and its rows.
        linear: The simplest model, if there is one for the target.
        checks: What was found before the training.
        networks: How many there may be at most.
        console: Where to print.
        began: `time.perf_counter()` at the start.
    """

    prepared: Prepared
    linear: Baseline | None
    checks: dict[str, Any]
    networks: int
    console: Console
    began: float


def auto(
    data: str | Path,
    target: str | None = None,
    *,
    seconds: float = 60.0,
    networks: int = 6,
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
    Where time is left, more networks are trained, each with another part of the training and
    validation rows held out, and the mean of their predictions is that of the network. Of the
    network, the regression and the mean of both, the one with the lowest loss on all rows that
    were held out is the model, so that a network is never kept where it is worse. All this is in
    the time.

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
        networks: At most so many networks, int >= 1. Predictions take as many times as long.
            Defaults to 6.
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
    >>> run = auto(folder / "iris.csv", networks=2, out=folder / "runs", quiet=True)
    >>> sorted(run.metrics["compared"]["scores"])
    ['baseline', 'mean', 'network']
    """
    began, started = time.perf_counter(), datetime.now().astimezone()
    deadline = began + check_number("seconds", seconds, low=0.0, open_low=True)
    check_int("networks", networks, low=1)
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
    ready = _Ready(prepared, linear, checks.to_dict(), networks, console, began)
    plan = {**execute.plan_of(prepared, started), "model": prepared.recipe.model}
    plan["inferred"] = [list(note) for note in found.notes]
    run = folder.create(out, prepared.recipe.name, now=started)
    try:
        folder.write_text(run / _run_files.RECIPE, prepared.recipe.to_toml())
        folder.write_json(run / _run_files.CHECKS, ready.checks)
        return _train(ready, run, plan, deadline)
    except BaseException as error:
        lacks = not folder.discard_untrained(run) and not (run / _run_files.METRICS).exists()
        if lacks and not isinstance(error, InputError):
            console.print(
                f"Stopped before the end. Go on with the first network alone: kerasrecipes train "
                f"--resume {run}"
            )
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
    places = Places(path.resolve(), {})
    recipe, others = schema.check(tables, path=places.path, places=places)
    prepared = _with_choice(recipe, [*problems, *others], set_by_hand)
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
    per_epoch = CAUTION * (epoch * max(1.0, count / len(some)) + validation)
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


def _train(ready: _Ready, run: Path, plan: dict[str, Any], deadline: float) -> RunResult:
    """Trains the networks, the first into its folder, and keeps the best of what there is."""
    prepared, console = ready.prepared, ready.console
    _display.before(console, plan, run)
    spare = _kept_back(deadline - ready.began)
    left = max(1.0, deadline - time.perf_counter() - spare / 2)
    outcome = execute.fit_in(run, prepared, console, seconds=left)
    with execute.no_interrupt():
        folder.write_with(run / _run_files.MODEL, prepared.model.save)
        networks = [judged(prepared, ready.linear)]
    stop = None
    if not outcome["metrics"]["interrupted"]:
        stop = _add_networks(networks, ready, outcome["metrics"]["seconds"], deadline - spare)
    with execute.no_interrupt():
        model, compared = compare(prepared, networks, ready.linear)
        prepared = dataclasses.replace(prepared, model=model)
        plan |= {"parameters": model.count_params(), "compared": compared}
        outcome |= {"checks": ready.checks}
        if len(networks) > 1:
            validation = compared["scores"][compared["kept"]]["validation"]
            outcome |= {"scores": {"validation": validation}}
        metrics = execute.save_in(run, prepared, plan, outcome, ready.began)
    if not metrics["interrupted"]:
        shutil.rmtree(run / _run_files.CHECKPOINT, ignore_errors=True)
    _display.after(console, metrics, run)
    _display.compared(console, compared)
    if stop is not None:
        raise stop
    return RunResult(run, metrics, outcome["history"])


def _add_networks(
    networks: list[Network], ready: _Ready, seconds: dict[str, float], deadline: float
) -> BaseException | None:
    """Trains further networks until something stops that; returns what did if it is to go on.

    Ctrl-C ends it, and no more. After SIGTERM, or an error, all that is trained is saved first.
    """
    began = time.perf_counter() - seconds["fit"]
    given = {"seconds": seconds["fit"], "deadline": deadline, "console": ready.console}
    stop = None
    try:
        for network in more(ready.prepared, ready.linear, ready.networks - 1, **given):
            networks.append(network)
    except KeyboardInterrupt:
        ready.console.print(f"Ctrl-C: no more networks than {len(networks)}.")
    except BaseException as error:
        stop = error
    seconds["fit"] = time.perf_counter() - began
    return stop
