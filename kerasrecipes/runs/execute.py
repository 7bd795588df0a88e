"""Trains a recipe file into a run folder."""

import contextlib
import csv
import dataclasses
import importlib.metadata
import io
import platform
import shutil
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

import kerasrecipes
from kerasrecipes import _run_files, _workers
from kerasrecipes._checks import InputError
from kerasrecipes._launched import note_run
from kerasrecipes.callbacks.checkpoint import Checkpoint
from kerasrecipes.callbacks.early_stopping import EarlyStopping
from kerasrecipes.callbacks.interrupt import Interrupt
from kerasrecipes.callbacks.standard import standard
from kerasrecipes.data.batches import batches
from kerasrecipes.reporting.curves import curves
from kerasrecipes.reporting.html import run_page
from kerasrecipes.reporting.predicted import Predicted
from kerasrecipes.reporting.style import to_png
from kerasrecipes.runs import _display, folder
from kerasrecipes.runs._devices import chosen, describe, writer_only
from kerasrecipes.runs.load import inspect
from kerasrecipes.runs.prepare import Prepared, Rows, prepare
from kerasrecipes.runs.result import RunResult

_PACKAGES = ("keras", "tensorflow", "numpy", "scikit-learn")
_EVALUATION_BATCH = 256
_SAVE_EVERY = "30 seconds"


def train(
    recipe: str | Path,
    *,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    seed: int | None = None,
    out: str | Path = "runs",
    strategy: Any = None,
    quiet: bool = False,
) -> RunResult:
    """Trains what a recipe file describes, and leaves everything about it in a new folder.

    A run that was killed or interrupted goes on with `resume`.

    The folder `out/<name>/<date>-<time>` gets `recipe.toml` (with every default written out,
    before training starts), `model.keras`, `history.csv`, `curves.png`, `predictions.npz` (of the
    test rows), `report.html` and, last, `metrics.json`. Each file is written whole or not at all.
    The first Ctrl-C ends the training, brings the best weights back and saves everything; the
    second aborts.

    The seed is set for Python, NumPy and the Keras backend (`keras.utils.set_random_seed`), so
    the same recipe and seed give the same model on the same machine.

    Args:
        recipe: Name of a shipped recipe, or path to a TOML file.
        overrides: Keys to set, as "fit.epochs=5" with a TOML value, or as a mapping from dotted
            keys to values. Defaults to none.
        seed: Replaces the recipe's seed, int >= 0. Defaults to None.
        out: Folder of all runs. Defaults to "runs".
        strategy: What to train on: a strategy or a name as for `kerasrecipes.distribute.strategy`.
            Defaults to None, "multi_worker" where there is a cluster, else one device. Of several
            workers the chief alone leaves a folder.
        quiet: Whether to print nothing. Defaults to False.

    Returns:
        The folder, the metrics and the history.

    Raises:
        InputError: For everything that is wrong with the recipe or its data, before training.

    Example:
    >>> import tempfile
    >>> run = train(
    ...     "iris-mlp", overrides=["fit.epochs=2"], out=tempfile.mkdtemp(), quiet=True
    ... )
    >>> sorted(path.name for path in run.folder.iterdir())
    ['curves.png', 'history.csv', 'metrics.json', 'model.keras', 'predictions.npz', 'recipe.toml',
     'report.html']
    """
    console = _display.new_console(quiet)
    began, started = time.perf_counter(), datetime.now().astimezone()
    strategy = chosen(strategy, quiet=quiet)
    loaded, problems = inspect(recipe, overrides=overrides, seed=seed)
    prepared = prepare(loaded, problems, strategy=strategy)
    plan = {**plan_of(prepared, started), "model": loaded.model}
    with writer_only(out, prepared.model, console) as (out, console):
        run = folder.create(out, loaded.name, now=started)
        try:
            folder.write_text(run / _run_files.RECIPE, prepared.recipe.to_toml())
            return _train_in(run, prepared, plan, console, began)
        except BaseException:
            folder.discard_untrained(run)
            raise


def resume(run: str | Path, *, strategy: Any = None, quiet: bool = False) -> RunResult:
    """Goes on with a run that was killed or interrupted, in its own folder.

    The training continues where it was last saved (every 30 seconds, and at Ctrl-C or SIGTERM),
    and ends with the model and history of the run that nothing interrupted, bit for bit on the same
    machine. Files that the interrupted run has left are replaced.

    Args:
        run: Run folder, as `train` makes it. All workers have to see it.
        strategy: As for `train`.
        quiet: Whether to print nothing. Defaults to False.

    Returns:
        The folder, the metrics and the history.

    Raises:
        InputError: For a folder that is no run, a run that is complete, and one whose data is no
            longer what it was.

    Example:
    >>> import tempfile
    >>> resume(tempfile.mkdtemp())
    Traceback (most recent call last):
    ...
    kerasrecipes._checks.InputError: ... is not a run folder: it has no recipe.toml.
    """
    strategy = chosen(strategy, quiet=quiet)
    path = folder.check_resumable(run)
    console = _display.new_console(quiet)
    began, started = time.perf_counter(), datetime.now().astimezone()
    loaded, problems = inspect(path / _run_files.RECIPE)
    loaded = dataclasses.replace(loaded, name=path.resolve().parent.name)
    prepared = prepare(loaded, problems, strategy=strategy)
    plan = {**plan_of(prepared, started), "model": loaded.model}
    with writer_only(path, prepared.model, console) as (path, console):
        return _train_in(Path(path), prepared, plan, console, began)


def _train_in(
    run: Path, prepared: Prepared, plan: dict[str, Any], console: Console, began: float
) -> RunResult:
    """Trains into a folder that has the recipe; what it has saved stays if it does not finish."""
    if _workers.is_chief(_workers.strategy_of(prepared.model)):
        note_run(run)
    _display.before(console, plan, run)
    try:
        outcome = fit_in(run, prepared, console)
    except BaseException as error:
        if folder.holds_checkpoint(run) and not isinstance(error, InputError):
            console.print(f"Stopped before the end. Go on: kerasrecipes train --resume {run}")
        raise
    try:
        with no_interrupt():
            metrics = save_in(run, prepared, plan, outcome, began)
    except BaseException:
        saved = (run / _run_files.MODEL).exists()
        kept = "the trained model, no metrics" if saved else "the recipe; the model is not saved"
        console.print(f"Stopped before the end: {run} holds {kept}.")
        raise
    if not metrics["interrupted"]:
        shutil.rmtree(run / _run_files.CHECKPOINT, ignore_errors=True)
    _display.after(console, metrics, run)
    return RunResult(run, metrics, outcome["history"])


@contextlib.contextmanager
def no_interrupt() -> Iterator[None]:
    """Keeps Ctrl-C from what saves a finished training, which takes a few seconds."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def save_in(
    run: Path,
    prepared: Prepared,
    plan: dict[str, Any],
    outcome: dict[str, Any],
    began: float,
) -> dict[str, Any]:
    """Writes everything about a training into its folder; returns the metrics.

    Args:
        run: The folder.
        prepared: The trained model and its rows.
        plan: The part of the metrics that was known before.
        outcome: What `fit_in` has returned; with "checks" those before the training, and with
            "scores" those of parts of the rows that the model has seen and others had not.
        began: `time.perf_counter()` at the start.
    """
    folder.write_with(run / _run_files.MODEL, prepared.model.save)
    metrics = {
        **plan,
        **outcome["metrics"],
        "metrics": {**_evaluate(prepared), **outcome.get("scores", {})},
    }
    metrics["seconds"]["total"] = time.perf_counter() - began
    _write(run, prepared, metrics, outcome["history"], outcome.get("checks"))
    return metrics


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that a result depends on."""
    found = {"python": platform.python_version(), "kerasrecipes": kerasrecipes.__version__}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {**found, "backend": keras.backend.backend()}


def evaluate_pair(model: keras.Model, x: Any, y: Any) -> dict[str, float]:
    """Returns loss and metrics on some rows."""
    found = model.evaluate(x, y, batch_size=_EVALUATION_BATCH, verbose=0, return_dict=True)
    return {name: float(found[name]) for name in _loss_first(found)}


def _loss_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: name != "loss")


def predict(model: keras.Model, x: Any) -> np.ndarray:
    """Returns the model's outputs, shape (n, units)."""
    return np.asarray(model.predict(x, batch_size=_EVALUATION_BATCH, verbose=0))


def plan_of(prepared: Prepared, started: datetime) -> dict[str, Any]:
    """Returns the part of the metrics that is known before the training."""
    recipe, rows = prepared.recipe, prepared.rows
    return {
        "format": 1,
        "name": recipe.name,
        "summary": recipe.summary,
        "recipe": recipe.recipe,
        "seed": recipe.seed,
        "started": started.isoformat(timespec="seconds"),
        "device": describe(prepared.model),
        "parameters": prepared.model.count_params(),
        "monitor": recipe.fit.get("monitor") or rows.target.monitor,
        "fit": recipe.fit,
        "data": describe_data(rows),
        "target": {"kind": rows.target.name, "classes": rows.target.class_names},
        "random_guess_loss": rows.target.random_guess_loss(rows.parts["train"].y),
        "versions": versions(),
    }


def describe_data(rows: Rows) -> dict[str, Any]:
    """Returns what metrics say of the data."""
    examples = rows.examples
    counts = {name: len(pair.y) for name, pair in rows.parts.items()}
    return {
        "source": examples.source,
        "fingerprint": examples.fingerprint,
        "rows": counts,
        "shape": str(examples.x.shape[1:]) if examples.x.ndim > 1 else "one text",
        "features": examples.feature_names,
    }


def fit_in(
    run: Path, prepared: Prepared, console: Console, *, seconds: float | None = None
) -> dict[str, Any]:
    """Trains a model, for at most some seconds; returns its history and parts of the metrics."""
    settings = prepared.recipe.fit
    alone = _workers.strategy_of(prepared.model) is None
    every = _SAVE_EVERY if keras.config.backend() == "tensorflow" and alone else 1
    checkpoint = Checkpoint(run / _run_files.CHECKPOINT, every=every, keep=2)
    callbacks = standard(
        monitor=settings.get("monitor"),
        patience=settings["patience"],
        checkpoint=checkpoint,
        seconds=seconds,
        progress=not console.quiet,
    )
    interrupt = next(c for c in callbacks if isinstance(c, Interrupt))
    stopping = next(c for c in callbacks if isinstance(c, EarlyStopping))
    began = time.perf_counter()
    fitted = fit(prepared, callbacks)
    history = {n: [float(v) for v in fitted.history[n]] for n in _loss_first(fitted.history)}
    best = None if stopping.best_epoch is None else stopping.best_epoch + 1
    metrics = {
        "seconds": {"fit": time.perf_counter() - began},
        "epochs": {"run": len(history["loss"]), "asked": settings["epochs"], "best": best},
        "interrupted": interrupt.interrupted,
        "stopped": "Ctrl-C" if interrupt.interrupted else stopping.reason,
        "resumed": _place(checkpoint.resumed),
        "execution": str(prepared.model.execution),
    }
    return {"metrics": metrics, "history": history}


def fit(prepared: Prepared, callbacks: Sequence[keras.callbacks.Callback]) -> Any:
    """Fits a model to its rows as its recipe says; returns the `History`."""
    settings = prepared.recipe.fit
    x, y = prepared.rows.parts["train"]
    return prepared.model.fit(
        batches(x, y, batch_size=settings["batch_size"], seed=prepared.recipe.seed),
        validation_data=prepared.rows.parts["validation"],
        epochs=settings["epochs"],
        callbacks=callbacks,
        shuffle=False,  # the batches are; Keras would warn that it cannot
        verbose=0,
    )


def _place(resumed: tuple[int, int] | None) -> str | None:
    """Returns where a training went on from, in words."""
    if resumed is None:
        return None
    epoch, step = resumed
    return f"after step {step} of epoch {epoch + 1}" if step else f"after epoch {epoch}"


def _evaluate(prepared: Prepared) -> dict[str, dict[str, float]]:
    return {
        name: evaluate_pair(prepared.model, pair.x, pair.y)
        for name, pair in prepared.rows.parts.items()
    }


def _write(
    run: Path,
    prepared: Prepared,
    metrics: Mapping[str, Any],
    history: Mapping[str, Sequence[float]],
    checks: Mapping[str, Any] | None,
) -> None:
    """Writes the rest of the folder; the metrics come last, and so say that it is complete."""
    folder.write_text(run / _run_files.HISTORY, history_csv(history))
    figure = curves(history, best_epoch=metrics["epochs"]["best"])
    folder.write_with(run / _run_files.CURVES, lambda path: Path(path).write_bytes(to_png(figure)))
    predicted = _predicted(prepared)
    folder.write_with(run / _run_files.PREDICTIONS, predicted.save)
    recipe = prepared.recipe.to_toml()
    page = run_page(metrics, history, recipe=recipe, predicted=predicted, checks=checks)
    folder.write_text(run / _run_files.REPORT, page)
    folder.write_json(run / _run_files.METRICS, metrics)


def history_csv(history: Mapping[str, Sequence[float]]) -> str:
    """Returns a row per epoch, counted from 1, at full precision.

    Example:
    >>> print(history_csv({"loss": [1.0, 0.5], "val_loss": [1.25, 0.75]}))
    epoch,loss,val_loss
    1,1.0,1.25
    2,0.5,0.75
    <BLANKLINE>
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *history])
    writer.writerows(zip(range(1, len(history["loss"]) + 1), *history.values(), strict=True))
    return text.getvalue()


def _predicted(prepared: Prepared) -> Predicted:
    rows, (x, y) = prepared.rows, prepared.rows.parts["test"]
    return Predicted.of(
        rows.target.name,
        x,
        y,
        predict(prepared.model, x),
        class_names=rows.target.class_names,
        rows=rows.test_rows,
        feature_names=rows.examples.feature_names,
    )
