"""Evaluates a run again."""

import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import keras

from kerasrecipes import _run_files
from kerasrecipes._checks import InputError
from kerasrecipes.runs import folder
from kerasrecipes.runs._problems import Problem
from kerasrecipes.runs.execute import evaluate_pair
from kerasrecipes.runs.load import read
from kerasrecipes.runs.prepare import Rows, read_rows
from kerasrecipes.runs.schema import Recipe

_RELATIVE, _ABSOLUTE = 1e-4, 1e-5


@dataclass(frozen=True)
class Evaluation:
    """Results of the saved model, recomputed.

    Attributes:
        folder: The run folder.
        test: Loss and metrics on the test rows, computed now.
        recorded: The same from `metrics.json`.
    """

    folder: Path
    test: Mapping[str, float]
    recorded: Mapping[str, float | None]

    @property
    def differences(self) -> dict[str, tuple[float | None, float]]:
        """Quantities that differ by more than rounding, as (recorded, computed now).

        Rounding is 1e-4 of the value or 1e-5, which other hardware may come to.
        """
        return {
            name: (self.recorded.get(name), now)
            for name, now in self.test.items()
            if not _close(self.recorded.get(name), now)
        }


def evaluate(run: str | Path) -> Evaluation:
    """Computes the test metrics of a run from its model, its recipe and its data once more.

    Args:
        run: A run folder.

    Raises:
        InputError: If the folder is not that of a complete run, or the data are not those that
            the run was trained on.
    """
    path = folder.check(run)
    metrics = folder.read_metrics(path)
    rows = _same_rows(read(path / _run_files.RECIPE), metrics["data"]["fingerprint"])
    test = evaluate_pair(load_model(path), *rows.parts["test"])
    return Evaluation(path, test, metrics["metrics"]["test"])


def load_model(run: Path) -> keras.Model:
    """Returns a run's model; a file that Keras cannot read is an `InputError`."""
    path = run / _run_files.MODEL
    try:
        return keras.saving.load_model(path)
    except (ValueError, OSError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{path} is damaged or cannot be loaded: {error}") from error


def _same_rows(recipe: Recipe, fingerprint: str) -> Rows:
    problems: list[Problem] = []
    rows = read_rows(recipe, problems)
    if rows is None:
        raise recipe.places.error(problems)
    if rows.examples.fingerprint != fingerprint:
        raise InputError(
            f"The data of {rows.examples.source} have changed since the run: their fingerprint is "
            f"{rows.examples.fingerprint[:12]}..., the run's was {fingerprint[:12]}.... The split "
            "would not be the same, so the result could not be compared. Train again, or bring "
            "the old data back."
        )
    return rows


def _close(recorded: float | None, now: float) -> bool:
    if recorded is None:
        return not math.isfinite(now)
    return math.isclose(recorded, now, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
