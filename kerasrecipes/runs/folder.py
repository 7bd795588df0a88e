"""A folder of its own for every run, in which no file is ever half-written."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from kerasrecipes import _recipe_files
from kerasrecipes._atomic import atomic
from kerasrecipes._checks import InputError
from kerasrecipes._run_files import CHECKPOINT, METRICS, MODEL, RECIPE


def create(out: str | Path, name: str, *, now: datetime | None = None) -> Path:
    """Returns a new folder `out/name/<date>-<time>`, which no other run has or will have.

    `os.mkdir` decides between runs that start in the same second: the second gets "-2" after
    its time.

    Args:
        out: Folder of all runs; created if it is missing.
        name: Name of the recipe.
        now: Time of the run. Defaults to the present.
    """
    stamp = f"{now or datetime.now():%Y%m%d-%H%M%S}"
    parent = Path(out) / name
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"`out` must be a folder. Received: {out}, where a file is.") from error
    for count in range(1, 10_000):
        folder = parent / (stamp if count == 1 else f"{stamp}-{count}")
        try:
            os.mkdir(folder)
        except FileExistsError:
            continue
        return folder
    raise InputError(f"{parent} already holds 9999 runs of this second.")


def discard_untrained(folder: Path) -> bool:
    """Removes a run's folder if it has neither model nor checkpoint; returns whether it did."""
    if (folder / MODEL).exists() or holds_checkpoint(folder):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def holds_checkpoint(folder: Path) -> bool:
    """Returns whether a run has saved a place to go on from, after its first epoch began."""
    return any((folder / CHECKPOINT).glob("generation-*"))


def check_resumable(run: str | Path) -> Path:
    """Returns the folder of a run that can go on; anything else is an `InputError`."""
    folder = Path(run).expanduser()
    if not (folder / RECIPE).is_file():
        raise InputError(f"{run} is not a run folder: it has no {RECIPE}.")
    if (folder / METRICS).is_file() and not holds_checkpoint(folder):
        raise InputError(f"The run {run} is complete. Train again for another one.")
    return folder


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file atomically; a number that is not finite becomes null."""
    write_text(path, json.dumps(_finite(value), indent=2, allow_nan=False) + "\n")


def write_with(path: Path, writer: Callable[[str], Any]) -> None:
    """Writes a file atomically by `writer`, which is called with a temporary path."""
    with atomic(path) as temporary:
        writer(str(temporary))


def check(run: str | Path) -> Path:
    """Returns the folder of a finished run; anything else is an `InputError`."""
    folder = Path(run).expanduser()
    if not folder.is_dir():
        raise InputError(f"There is no run folder {run}.")
    missing = [name for name in (RECIPE, MODEL, METRICS) if not (folder / name).is_file()]
    if missing == [RECIPE, MODEL, METRICS]:
        raise InputError(f"{run} is not a run folder: it has no {RECIPE}, {MODEL} or {METRICS}.")
    if missing:
        raise InputError(
            f"The run {run} is not complete: it has no {' and no '.join(missing)}. It was stopped "
            f"before its end; go on with `kerasrecipes train --resume {run}`."
        )
    return folder


def read_metrics(folder: Path) -> dict[str, Any]:
    """Returns a run's metrics; a damaged file is an `InputError`."""
    try:
        metrics = json.loads(_recipe_files.text(folder / METRICS))
    except json.JSONDecodeError as error:
        raise InputError(f"{folder / METRICS} is damaged: {error}.") from error
    if not isinstance(metrics, dict) or not {"data", "metrics"} <= set(metrics):
        raise InputError(f"{folder / METRICS} is damaged: it lacks the data or the metrics.")
    return metrics


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
