"""RunRecord."""

import csv
import dataclasses
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasrecipes._checks import InputError, fail
from kerasrecipes._run_files import HISTORY, METRICS, RECIPE


@dataclasses.dataclass(frozen=True, eq=False)
class RunRecord:
    """What is known of a training: its curves, and what it takes to judge them.

    Attributes:
        name: What to call it.
        history: Values per epoch by log name, float64 arrays.
        best_epoch: Epoch whose weights the model has, counted from 1. None if that is not known;
            then those of the last.
        epochs: Most epochs that the training could have had, or None.
        stopped: Why it ended, in words, or None.
        batch_size: Rows of a batch, or None.
        validation_rows: Rows that were validated on, or None.
        guess_loss: Loss of a guess that ignores the inputs, or None.
        floor: Smallest loss that any model can have; None where there is none.
        target: Kind of target, such as "multiclass", or None.
        recipe: The resolved recipe, or an empty dict.
        folder: The run folder, or None.

    Example:
    >>> run = RunRecord("mine", {"loss": [1.0, 0.5], "penalty": [0.25, 0.25]})
    >>> run.training.tolist(), run.validation is None, run.kept
    ([0.75, 0.25], True, 1)
    """

    name: str
    history: Mapping[str, Any]
    best_epoch: int | None = None
    epochs: int | None = None
    stopped: str | None = None
    batch_size: int | None = None
    validation_rows: int | None = None
    guess_loss: float | None = None
    floor: float | None = 0.0
    target: str | None = None
    recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    folder: Path | None = None

    def __post_init__(self) -> None:
        values = {name: _scalars(each) for name, each in self.history.items()}
        curves = {name: each for name, each in values.items() if each is not None}
        if not len(curves.get("loss", ())):
            fail("history", "a history with the `loss` of at least one epoch", dict(self.history))
        object.__setattr__(self, "history", curves)

    @property
    def length(self) -> int:
        """Epochs that were run."""
        return len(self.history["loss"])

    @property
    def training(self) -> np.ndarray:
        """Training loss per epoch, without the weight penalty where that is logged."""
        return self._loss("loss")

    @property
    def validation(self) -> np.ndarray | None:
        """The same of the validation rows; None unless every epoch has it."""
        found = self.history.get("val_loss")
        return None if found is None or len(found) != self.length else self._loss("val_loss")

    def _loss(self, name: str) -> np.ndarray:
        penalty = self.history.get("penalty")
        loss = self.history[name]
        return loss if penalty is None or len(penalty) != len(loss) else loss - penalty

    def curve(self, name: str) -> np.ndarray | None:
        """Returns a log entry that every epoch has, or None."""
        found = self.history.get(name)
        return None if found is None or len(found) != self.length else found

    def by_layer(self, kind: str) -> dict[str, np.ndarray]:
        """Returns the entries "kind/layer" by layer, as the monitors log them."""
        return {
            name.removeprefix(f"{kind}/"): values
            for name, values in self.history.items()
            if name.startswith(f"{kind}/") and len(values) == self.length
        }

    @property
    def kept(self) -> int:
        """Index of the epoch whose weights the model has."""
        return (self.best_epoch or self.length) - 1

    @property
    def best(self) -> int:
        """Index of the best epoch: the one that was kept, else that of the least loss."""
        if self.best_epoch is not None:
            return self.best_epoch - 1
        losses = self.training if self.validation is None else self.validation
        return int(np.nanargmin(losses)) if np.isfinite(losses).any() else 0

    @property
    def span(self) -> float:
        """Loss that there was to lose: from a guess to the floor, else the range of training."""
        if self.guess_loss is not None and self.floor is not None:
            return max(self.guess_loss - self.floor, 1e-12)
        finite = self.training[np.isfinite(self.training)]
        return max(float(np.ptp(finite)), 1e-12) if len(finite) else math.nan

    def learned(self, loss: float) -> float | None:
        """Returns the share of the way from a guess to the floor that a loss has come."""
        if self.guess_loss is None or self.floor is None:
            return None
        return (self.guess_loss - float(loss)) / self.span


def record(run: Any, **known: Any) -> RunRecord:
    """Returns the record of a Keras `History`, a dict of curves, a run, or a history file."""
    if isinstance(run, RunRecord):
        return dataclasses.replace(run, **known)
    if isinstance(getattr(run, "folder", None), Path):
        run = run.folder
    if isinstance(run, (str, Path)):
        path = Path(run).expanduser()
        return _of_folder(path, known) if path.is_dir() else _of_file(path, known)
    if isinstance(getattr(run, "history", None), Mapping):
        return RunRecord(**{"name": "history", "history": run.history, **_of_fit(run), **known})
    if isinstance(run, Mapping):
        return RunRecord(**{"name": "history", "history": run, **known})
    fail("run", "a History, a dict of curves, a run folder, its result, or a history file", run)


def _of_fit(history: Any) -> dict[str, Any]:
    """Returns what a `History` callback knows besides the curves."""
    target: Any = getattr(getattr(history, "model", None), "target", None)
    found: dict[str, Any] = {
        "epochs": (getattr(history, "params", None) or {}).get("epochs"),
        "stopped": getattr(history, "stopped", None),  # `callbacks.EarlyStopping` tells both
    }
    kept, epochs = getattr(history, "best_epoch", None), getattr(history, "epoch", ())
    if kept in epochs:
        found["best_epoch"] = epochs.index(kept) + 1
    if getattr(target, "name", None) in ("binary", "multiclass", "multilabel"):
        found.update(target=target.name, guess_loss=target.random_guess_loss())
    return found


def _of_file(path: Path, known: dict[str, Any]) -> RunRecord:
    if not path.is_file():
        raise InputError(f"There is no run folder or history file {path}.")
    return RunRecord(**{"name": path.stem, "history": read_history(path), **known})


def _of_folder(path: Path, known: dict[str, Any]) -> RunRecord:
    found = of_run(
        str(path), read_metrics(path), read_history(path / HISTORY), read_text(path / RECIPE)
    )
    return dataclasses.replace(found, **{"folder": path, **known})


def of_run(
    name: str, metrics: Mapping[str, Any], history: Mapping[str, Any], recipe: str
) -> RunRecord:
    """Returns the record of a run from its metrics, curves and the text of its recipe."""
    target = metrics["target"]
    tables = _tables(recipe)
    guess = metrics["random_guess_loss"]
    return RunRecord(
        name=name,
        history=history,
        best_epoch=metrics["epochs"]["best"],
        epochs=metrics["epochs"]["asked"],
        stopped=metrics["stopped"],
        batch_size=metrics.get("fit", {}).get("batch_size"),
        validation_rows=metrics["data"]["rows"].get("validation"),
        guess_loss=guess if guess is not None and math.isfinite(guess) else None,
        floor=_floor(tables, target),
        target=target["kind"],
        recipe=tables,
    )


def _floor(recipe: Mapping[str, Any], target: Mapping[str, Any]) -> float | None:
    """Returns the least loss of a target: 0, the entropy of smoothed labels, none for counts."""
    if target["kind"] == "count":
        return None
    smoothing = recipe.get("model", {}).get("label_smoothing", 0.0)
    if not isinstance(smoothing, float) or not 0 < smoothing < 1:
        return 0.0
    classes = 2 if target["kind"] != "multiclass" else recipe.get("target", {}).get("classes", 2)
    classes = classes if isinstance(classes, int) else len(classes)
    rest = smoothing / classes
    right = 1 - smoothing + rest
    return -right * math.log(right) - (classes - 1) * rest * math.log(rest)


def read_metrics(path: Path) -> dict[str, Any]:
    """Returns the metrics of a run folder; one that is no complete run is an `InputError`."""
    if not path.is_dir():
        raise InputError(f"There is no run folder {path}.")
    missing = [name for name in (METRICS, HISTORY, RECIPE) if not (path / name).is_file()]
    if missing:
        raise InputError(
            f"{path} is not the folder of a complete run: it has no {' and no '.join(missing)}."
        )
    try:
        metrics = json.loads((path / METRICS).read_text("utf-8"))
        if not {"data", "metrics", "epochs", "fit"} <= set(metrics):
            raise ValueError("it lacks the data, the metrics, the epochs or the fit")
    except (ValueError, TypeError) as error:
        raise InputError(f"{path / METRICS} is damaged: {error}.") from error
    return metrics


def read_text(path: Path) -> str:
    """Returns the text of a file of a run."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is damaged: {error}.") from error


def _tables(recipe: str) -> dict[str, Any]:
    try:
        return tomllib.loads(recipe)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The {RECIPE} of the run is damaged: {error}.") from error


def read_history(path: Path) -> dict[str, list[float]]:
    """Returns the curves of a history file, csv or JSON Lines; entries in lists are left out."""
    try:
        text = path.read_text("utf-8")
        rows = _jsonl(text) if path.suffix == ".jsonl" else list(csv.DictReader(text.splitlines()))
        names = [name for name in dict.fromkeys(n for row in rows for n in row) if name != "epoch"]
        found = {name: [row.get(name, "") for row in rows] for name in names}
        return {
            name: [float(cell) for cell in cells if cell != ""]
            for name, cells in found.items()
            if not any(str(cell).startswith("[") for cell in cells)
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a history file: {error}.") from error


def _jsonl(text: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in text.splitlines()]
    return [{n: math.nan if v is None else v for n, v in row.items()} for row in rows]


def _scalars(values: Sequence[Any]) -> np.ndarray | None:
    """Returns a curve as an array; None for an entry that is not one number per epoch."""
    try:
        array = np.asarray(values, "float64")
    except (TypeError, ValueError):
        return None
    return array if array.ndim == 1 else None
