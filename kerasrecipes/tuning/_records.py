"""The trials that have ended, in memory and as files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasrecipes._checks import InputError
from kerasrecipes.tuning._json import write_json
from kerasrecipes.tuning.trial_record import TrialRecord

SEARCH = "search.json"
_RECORD = "record.json"


class Records:
    """The records of a search, each a file of its own that is written whole or not at all.

    Args:
        folder: Of the search, or None to keep no files.
        direction: "min" or "max".
    """

    def __init__(self, folder: Path | None, direction: str) -> None:
        self._folder = folder
        self._direction = direction
        self._found: dict[str, TrialRecord] = {}

    def read(self, ended: Sequence[str]) -> list[str]:
        """Takes up the records of trials that have ended; returns those that have none."""
        if self._folder is not None:
            found = {record.trial_id: record for record in read_records(self._folder)}
            self._found = {name: found[name] for name in ended if name in found}
        return [name for name in ended if name not in self._found]

    @property
    def all(self) -> tuple[TrialRecord, ...]:
        """All records, in the order of their numbers."""
        return tuple(sorted(self._found.values(), key=lambda record: record.number))

    @property
    def has_some(self) -> bool:
        """Whether a trial is completed."""
        return any(record.status == "completed" for record in self._found.values())

    @property
    def best(self) -> TrialRecord | None:
        """The completed trial with the best score."""
        done = [r for r in self.all if r.status == "completed" and r.score is not None]
        better = max if self._direction == "max" else min
        return better(done, key=lambda record: record.score, default=None)  # type: ignore[arg-type,return-value]

    @property
    def since_best(self) -> int:
        """How many trials have ended since the best one."""
        best = self.best
        return 0 if best is None else sum(r.number > best.number for r in self.all)

    def add(self, record: TrialRecord) -> None:
        """Adds a trial that has ended."""
        self._found[record.trial_id] = record
        if self._folder is not None:
            path = self._folder / f"trial_{record.trial_id}" / _RECORD
            write_json(path, record.to_dict())


def read_records(folder: Path) -> list[TrialRecord]:
    """Returns the records in the folder of a search; a damaged one is left out."""
    found = []
    for path in folder.glob(f"trial_*/{_RECORD}"):
        try:
            found.append(TrialRecord.from_dict(json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, TypeError, KeyError):
            continue
    return found


def read_search(folder: Path) -> dict[str, Any]:
    """Returns what a search has written of itself."""
    path = folder / SEARCH
    if not path.is_file():
        raise InputError(f"{folder} is not the folder of a search: it has no {SEARCH}.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}.") from error
