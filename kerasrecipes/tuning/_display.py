"""What a search shows on the screen."""

from pathlib import Path
from types import TracebackType
from typing import Self

import keras_tuner
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from kerasrecipes.tuning.trial_record import TrialRecord


class Display:
    """One line: trials so far, how many failed, and the best one.

    Args:
        goal: The objective.
        trials: How many there will be, or None.
        folder: Where it keeps its files.
        quiet: Whether to print nothing.
    """

    def __init__(
        self,
        goal: keras_tuner.Objective,
        trials: int | None,
        folder: Path,
        *,
        quiet: bool,
    ) -> None:
        self._objective = goal.name
        self._sign = 1 if goal.direction == "max" else -1
        self._best: TrialRecord | None = None
        self._failed = 0
        self._console = Console(highlight=False, soft_wrap=True, quiet=quiet)
        self._console.print(f"search in {folder}", markup=False)
        self._progress = Progress(
            TextColumn("trials"),
            MofNCompleteColumn(),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            disable=quiet,
        )
        self._task = self._progress.add_task("no trial has ended yet", total=trials)

    def __enter__(self) -> Self:
        """Starts the line."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves the line as it is."""
        self._progress.stop()

    def show(self, record: TrialRecord) -> None:
        """Counts a trial that has ended."""
        self._failed += record.status == "failed"
        if record.status == "completed" and self._is_best(record):
            self._best = record
        parts = []
        if self._best is not None:
            parts.append(
                f"best {self._objective} {self._best.score:.4g} (trial {self._best.number})"
            )
        if self._failed:
            parts.append(f"{self._failed} failed")
        self._progress.update(self._task, advance=1, description=", ".join(parts))

    def _is_best(self, record: TrialRecord) -> bool:
        if self._best is None or self._best.score is None or record.score is None:
            return True
        return self._sign * record.score > self._sign * self._best.score

    def ended(self, reason: str) -> None:
        """Says why the search ended."""
        self._progress.stop()
        self._console.print(f"ended: {reason}", markup=False)
