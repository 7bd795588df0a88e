"""What the checks found."""

import dataclasses
import json
import math
import textwrap
from collections.abc import Mapping
from typing import Any, Self

from kerasrecipes._checks import check_choice

STATUSES = ("pass", "warn", "fail", "skipped")
_COLUMNS = ("check", "result", "what was measured", "seen", "expected")
_WIDTH = 100


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: Name of the check.
        status: "pass", "warn", "fail" or "skipped".
        quantity: What was measured, in a few words.
        seen: The number seen; None if nothing was measured.
        low: Smallest number expected, -inf if any is small enough.
        high: Largest number expected, inf if any is large enough.
        note: Where and why, in a sentence or two.
        remedy: What to do about it; empty unless the status is "warn" or "fail".

    Example:
    >>> Finding("symmetry", "fail", "layers of equal units", seen=2, high=0).expected
    '<= 0'
    """

    name: str
    status: str
    quantity: str = ""
    seen: float | None = None
    low: float = -math.inf
    high: float = math.inf
    note: str = ""
    remedy: str = ""

    @property
    def expected(self) -> str:
        """The numbers expected, in words."""
        if self.seen is None or (self.low == -math.inf and self.high == math.inf):
            return ""
        if self.low == self.high:
            return _number(self.low)
        if self.low == -math.inf:
            return f"<= {_number(self.high)}"
        if self.high == math.inf:
            return f">= {_number(self.low)}"
        return f"{_number(self.low)} to {_number(self.high)}"

    def to_dict(self) -> dict[str, Any]:
        """Returns the finding as JSON values; numbers that JSON has not are texts."""
        values = {**dataclasses.asdict(self), "expected": self.expected}
        return {name: _plain(value) for name, value in values.items()}


@dataclasses.dataclass(frozen=True)
class Report:
    """What `check` found; it prints as a table, with the remedies below.

    Attributes:
        model: Name of the model.
        rows: Training rows that were looked at.
        findings: One `Finding` per check, in the order of the checks.
        seconds: How long it took.

    Example:
    >>> wrong = Finding("symmetry", "fail", "layers of equal units", 2, high=0, note="All of a.")
    >>> report = Report("mlp", 100, (Finding("saving", "pass"), wrong), seconds=1.0)
    >>> report.passed, [each.name for each in report.failures], report["saving"].status
    (False, ['symmetry'], 'pass')
    """

    model: str
    rows: int
    findings: tuple[Finding, ...]
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether no check failed; warnings do not count."""
        return not self.failures

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What failed."""
        return self._of("fail")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What may be wrong."""
        return self._of("warn")

    @property
    def skipped(self) -> tuple[Finding, ...]:
        """What could not be checked, or is not there to be checked."""
        return self._of("skipped")

    def _of(self, status: str) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.status == status)

    def __getitem__(self, name: str) -> Finding:
        """Returns the finding of one check."""
        check_choice("name", name, [each.name for each in self.findings])
        return next(each for each in self.findings if each.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as JSON values."""
        return {
            "model": self.model,
            "rows": self.rows,
            "seconds": self.seconds,
            "passed": self.passed,
            "findings": [each.to_dict() for each in self.findings],
        }

    def to_json(self) -> str:
        """Returns the report as JSON text."""
        return json.dumps(self.to_dict(), indent=1)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Returns the report that `to_dict` described."""
        return cls(
            values["model"],
            values["rows"],
            tuple(_finding(each) for each in values["findings"]),
            values["seconds"],
        )

    def __str__(self) -> str:
        """Returns the table, and what to do below it."""
        rows = [_COLUMNS, *(_row(each) for each in self.findings)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        told = [_told(each) for each in (*self.failures, *self.warnings)]
        return "\n".join([self._title(), *lines, *told])

    def _title(self) -> str:
        counts = [f"{len(self._of(status))} {_SAID[status]}" for status in STATUSES]
        return f"Checks of {self.model} on {self.rows} rows: {', '.join(counts)}"


_SAID = {"pass": "passed", "warn": "warned", "fail": "failed", "skipped": "skipped"}


def _row(found: Finding) -> tuple[str, ...]:
    status = found.status.upper() if found.status in ("warn", "fail") else found.status
    what = found.note if found.status == "skipped" else found.quantity
    seen = "" if found.seen is None else _number(found.seen)
    return found.name, status, textwrap.shorten(what, 60, placeholder="…"), seen, found.expected


def _told(found: Finding) -> str:
    text = f"{found.status.upper()} {found.name}: {found.note} {found.remedy}".strip()
    lines = textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_long_words=False)
    return "\n" + "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _finding(values: Mapping[str, Any]) -> Finding:
    known = {name: value for name, value in values.items() if name != "expected"}
    for name in ("seen", "low", "high"):
        known[name] = float(known[name]) if isinstance(known[name], str) else known[name]
    return Finding(**known)
