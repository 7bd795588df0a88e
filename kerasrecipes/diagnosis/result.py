"""What `diagnose` returns."""

import dataclasses
import textwrap
from collections.abc import Mapping
from typing import Any

from kerasrecipes.diagnosis.run_record import RunRecord

_WIDTH = 96


@dataclasses.dataclass(frozen=True)
class Finding:
    """A rule of practice that a run breaks.

    Attributes:
        rule: Name of the rule, such as "overfitting".
        title: The same in words.
        practice: Id of the practice in docs/practice.md, such as "S10".
        run: Name of the run, or of the runs that were compared.
        evidence: What the curves show, with numbers.
        remedy: What to do.
        numbers: The numbers of the evidence by name.
        epoch: Epoch in which it begins, counted from 1, or None.
        severity: "warning", or "note" for what is worth knowing but does no harm.

    Example:
    >>> found = Finding("zig_zag", "Zig-zag", "S9", "mine", "It turns.", "Raise the batch size.")
    >>> print(found)
    warning  Zig-zag (S9)
      It turns.
      -> Raise the batch size.
    """

    rule: str
    title: str
    practice: str
    run: str
    evidence: str
    remedy: str
    numbers: Mapping[str, float] = dataclasses.field(default_factory=dict)
    epoch: int | None = None
    severity: str = "warning"

    def __str__(self) -> str:
        """Returns it in three or more lines."""
        begin = f", from epoch {self.epoch}" if self.epoch is not None else ""
        lines = [f"{self.severity:<7}  {self.title} ({self.practice}){begin}"]
        for mark, text in (("", self.evidence), ("-> ", self.remedy)):
            indent = "  " + " " * len(mark)
            lines += textwrap.wrap(
                text, _WIDTH, initial_indent=f"  {mark}", subsequent_indent=indent
            )
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What the curves of one or several runs tell; it prints as text.

    Attributes:
        runs: What was judged, a `RunRecord` each.
        findings: What was found, run by run, the warnings first.
        not_judged: Why a rule could not be applied, by run and rule.
        rules: Names of the rules that were looked at.

    Example:
    >>> from kerasrecipes.diagnosis import diagnose
    >>> found = diagnose({"loss": [1.0, 0.5, float("nan")], "val_loss": [1.0, 0.6, 0.6]})
    >>> [finding.rule for finding in found.findings], found["divergence"].epoch, found.healthy
    (['divergence'], 3, False)
    """

    runs: tuple[RunRecord, ...]
    findings: tuple[Finding, ...]
    not_judged: Mapping[str, Mapping[str, str]]
    rules: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether there is no warning; notes do not count."""
        return all(finding.severity == "note" for finding in self.findings)

    def of(self, run: str) -> tuple[Finding, ...]:
        """Returns the findings of one run by its name; "" for those of all runs together."""
        return tuple(finding for finding in self.findings if finding.run == run)

    def __getitem__(self, rule: str) -> Finding:
        """Returns the first finding of a rule; a `KeyError` if it found nothing."""
        for finding in self.findings:
            if finding.rule == rule:
                return finding
        raise KeyError(f"{rule!r} found nothing. There are: {[f.rule for f in self.findings]}")

    def __contains__(self, rule: object) -> bool:
        """Returns whether a rule found something."""
        return any(finding.rule == rule for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        return {
            "runs": [run.name for run in self.runs],
            "healthy": self.healthy,
            "findings": [
                {**dataclasses.asdict(f), "numbers": _plain(f.numbers)} for f in self.findings
            ],
            "not_judged": {run: dict(rules) for run, rules in self.not_judged.items()},
            "rules": list(self.rules),
        }

    def __str__(self) -> str:
        """Returns the findings run by run, and what could not be judged."""
        names = [run.name for run in self.runs]
        parts = [self._part(name) for name in names]
        together = self.of("")
        if together:
            parts.append("\n".join(["All runs together", *map(str, together)]))
        return "\n\n".join(parts)

    def _part(self, run: str) -> str:
        findings, unknown = self.of(run), self.not_judged.get(run, {})
        judged = len(self.rules) - len(unknown)
        said = "nothing found" if not findings else f"{len(findings)} found"
        lines = [f"{run}: {said}, by {judged} of {len(self.rules)} rules", *map(str, findings)]
        reasons: dict[str, list[str]] = {}
        for rule, why in unknown.items():
            reasons.setdefault(why, []).append(rule)
        lines += [f"not judged: {', '.join(rules)} ({why})" for why, rules in reasons.items()]
        return "\n".join(lines)


def _plain(numbers: Mapping[str, float]) -> dict[str, float | None]:
    return {n: float(v) if abs(v) < float("inf") else None for n, v in numbers.items()}
