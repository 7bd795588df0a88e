"""One page for one run, or for several side by side."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasrecipes._atomic import atomic
from kerasrecipes._checks import InputError, fail
from kerasrecipes._run_files import CHECKS, PREDICTIONS, RECIPE
from kerasrecipes.diagnosis.diagnose import diagnose
from kerasrecipes.diagnosis.run_record import RunRecord, read_metrics, read_text
from kerasrecipes.reporting.html import history_page, run_page
from kerasrecipes.reporting.predicted import Predicted
from kerasrecipes.reporting.runs_page import Described, runs_page


def report(runs: Any, *, path: str | os.PathLike[str] | None = None, checks: Any = None) -> str:
    """Returns the page of one run, or of several side by side, as one HTML file.

    It needs no other file and no network, and reads well on a phone and in dark mode. A run has
    its diagnosis, the checks before training, results, learning curves with the best epoch and the
    rate, gradient norms, the curves of the layers where monitors have logged them, a confusion
    matrix or residuals, calibration, the worst examples, the data and the recipe. Several runs have
    their results and what differs in their recipes side by side, their curves in one figure, the
    diagnosis of each and of all together, and their test rows.

    Args:
        runs: A run folder, the result of `runs.train`, a Keras `History`, a dict of curves or a
            history file; or a list of these.
        path: File to write the page to, replaced if it exists. Defaults to None, none.
        checks: What `sanity.check` returned for one run, or a dict of it. Defaults to None, what
            the run folder has as `checks.json`, if anything.

    Returns:
        The text of the file.

    Raises: InputError for anything that is no run, and for a folder without a complete one.

    Example:
    >>> page = report({"loss": [1.0, 0.5], "val_loss": [1.0, 0.75]})
    >>> "Learning curves" in page, "http" in page
    (True, False)
    """
    several = isinstance(runs, (list, tuple)) and len(runs) > 1
    if several and checks is not None:
        fail("checks", "None for several runs", checks, "Their folders may have `checks.json`.")
    found = diagnose(runs)
    page = runs_page([_describe(run) for run in found.runs], found) if several else None
    if page is None:
        page = _page(found.runs[0], _as_dict(checks))
    if path is not None:
        with atomic(Path(path)) as temporary:
            temporary.write_text(page, encoding="utf-8", newline="\n")
    return page


def _page(run: RunRecord, checks: Mapping[str, Any] | None) -> str:
    if run.folder is None:
        return history_page(run, checks=checks)
    return run_page(
        read_metrics(run.folder),
        run.history,
        recipe=read_text(run.folder / RECIPE),
        predicted=_predicted(run.folder),
        checks=_checks(run.folder) if checks is None else checks,
    )


def _describe(run: RunRecord) -> Described:
    if run.folder is None:
        return Described(run)
    metrics = read_metrics(run.folder)
    return Described(run, metrics, _predicted(run.folder), _checks(run.folder))


def _predicted(folder: Path) -> Predicted | None:
    path = folder / PREDICTIONS
    return Predicted.load(path) if path.is_file() else None


def _checks(folder: Path) -> dict[str, Any] | None:
    path = folder / CHECKS
    if not path.is_file():
        return None
    try:
        return _as_dict(json.loads(path.read_text("utf-8")))
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}.") from error


def _as_dict(checks: Any) -> dict[str, Any] | None:
    """Returns the checks as the dict that a report of them makes."""
    found = checks.to_dict() if hasattr(checks, "to_dict") else checks
    is_dict = isinstance(found, dict) and isinstance(found.get("findings"), Sequence)
    if found is not None and not is_dict:
        fail("checks", "what `sanity.check` returned, or its `to_dict()`", checks)
    return found
