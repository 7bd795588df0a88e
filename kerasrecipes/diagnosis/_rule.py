"""What a rule is, and what it answers."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kerasrecipes.diagnosis.run_record import RunRecord


class NotJudgedError(Exception):
    """A rule lacks something; the message says what, and where it would come from."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a rule found in a run.

    Attributes:
        evidence: What the curves show, in a sentence with numbers.
        remedy: What to do.
        numbers: The numbers of the evidence by name.
        epoch: Epoch in which it begins, counted from 1, or None.
        harmless: Whether it is worth knowing, but nothing has to be done.
    """

    evidence: str
    remedy: str
    numbers: Mapping[str, float]
    epoch: int | None = None
    harmless: bool = False


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule of practice that curves can break.

    Attributes:
        name: Name in snake_case.
        title: The same in words.
        practice: Id of the practice in docs/practice.md.
        judge: Takes a `RunRecord`, a rule of several runs a sequence of them; returns a `Verdict`,
            or None if all is well.
        unless: Rules whose finding explains what this one would find.
        several: Whether it compares runs.
    """

    name: str
    title: str
    practice: str
    judge: Callable[..., Verdict | None]
    unless: Sequence[str] = ()
    several: bool = False


def needs(run: RunRecord, epochs: int) -> None:
    """Makes sure that there are enough epochs to judge by."""
    if run.length < epochs:
        raise NotJudgedError(f"takes at least {epochs} epochs")


def guess_of(run: RunRecord) -> float:
    """Returns the loss of a guess."""
    if run.guess_loss is None or run.floor is None:
        raise NotJudgedError("takes `guess_loss`, which runs and classifiers of recipes know")
    return run.guess_loss


def validation_of(run: RunRecord) -> Any:
    """Returns the validation loss."""
    if run.validation is None:
        raise NotJudgedError("takes the validation loss of every epoch")
    return run.validation


def percent(share: float) -> str:
    """Returns a share in percent."""
    return f"{100 * share:.0f} %" if abs(share) < 10 else f"{100 * share:.2g} %"


def show(value: float) -> str:
    """Returns a number in a sentence."""
    return f"{value:.3g}"
