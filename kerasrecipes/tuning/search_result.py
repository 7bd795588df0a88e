"""SearchResult, which is what `search` returns."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from kerasrecipes._checks import InputError, check_choice, check_int
from kerasrecipes._export import export
from kerasrecipes._toml import to_toml
from kerasrecipes.tuning._advice import Evidence, advice, failures
from kerasrecipes.tuning._axes import Axis, axes, shown
from kerasrecipes.tuning._importance import Importance, importance
from kerasrecipes.tuning._selection import (
    final,
    is_first_guess,
    own_error,
    ranked,
    simplest,
    standard_error,
    within,
)
from kerasrecipes.tuning.trial_record import TrialRecord

_ROWS = 10
_WIDTH = 120
_MESSAGES = 5
_MATTERS = 0.01


@export("tuning", saved=False)
@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchResult:
    """What a search found: the trials, the best of them, what mattered, and what to beware of.

    Its `str` is a table of the best trials and the warnings; `kerasrecipes.reporting` has the
    figures and an HTML page of it.

    Attributes:
        recipe: Name of the recipe.
        objective: Log name of the score, such as "val_accuracy".
        direction: "min" or "max", whichever is better.
        records: All trials in the order in which they began.
        space: The `SearchSpace` that they are from.
        folder: Where the search keeps its files, or None.
        seconds: Time that the search took.
        validation_rows: Rows that each score is of, or None. With one run per trial an accuracy's
            standard error follows from it.
        model: The model of the best trial, trained on all rows, or None.
        ended: Why the search ended, such as "Ctrl-C" or "the time was up"; "" if it has not.

    Example:
    >>> import types, keras_tuner
    >>> hyperparameters = keras_tuner.HyperParameters()
    >>> _ = hyperparameters.Float("learning_rate", 1e-4, 1.0, sampling="log")
    >>> space = types.SimpleNamespace(hyperparameters=lambda: hyperparameters)
    >>> def trial(number, rate, *scores):
    ...     values, mean = {"learning_rate": rate}, sum(scores) / len(scores)
    ...     epochs = (5,) * len(scores)
    ...     return TrialRecord(
    ...         number, f"{number:02}", values, values, {}, "completed", scores, mean, epochs, 1.5
    ...     )
    >>> records = (
    ...     trial(1, 0.5, 0.7, 0.72), trial(2, 0.01, 0.94, 0.95), trial(3, 0.02, 0.9, 0.89)
    ... )
    >>> result = SearchResult(
    ...     recipe="mlp", objective="val_accuracy", direction="max", records=records, space=space
    ... )
    >>> result.best.number
    2
    >>> print(result.table(rows=2))
    rank  trial   mean     s.e.          runs  epochs  seconds  learning_rate
    *  1      2  0.945    0.005  0.94 0.95     5 5      1.5           0.01
       2      3  0.895    0.005  0.9 0.89     5 5      1.5           0.02
    """

    recipe: str
    objective: str
    direction: str
    records: tuple[TrialRecord, ...]
    space: Any
    folder: Path | None = None
    seconds: float = 0.0
    validation_rows: int | None = None
    model: Any = None
    ended: str = ""

    def __post_init__(self) -> None:
        """Checks the direction."""
        check_choice("direction", self.direction, ("min", "max"))

    @cached_property
    def ranked(self) -> tuple[TrialRecord, ...]:
        """Completed trials, best mean first; of equal ones the earliest first."""
        return ranked(self.records, self.direction)

    @property
    def best(self) -> TrialRecord:
        """The trial to take: the recipe as it is, unless another does better beyond chance.

        If the first guess of the space is within one `standard_error` of the best mean, it is the
        first guess, whose score no search has picked for its luck; else the best mean.

        Raises: InputError if no trial is completed, with the messages of those that failed.
        """
        near = self._near
        return next((each for each in near if self._is_first_guess(each)), near[0])

    @property
    def simplest(self) -> TrialRecord:
        """The trial to take where size matters: as good as the best, as far as scores can tell.

        Of all trials whose mean is within one `standard_error` of the best mean, the one with the
        fewest hidden units, and of equal ones the best mean (the one-standard-error rule). Where
        the error or the units are unknown, this is `best_by_mean`.

        Raises: InputError if no trial is completed.

        Reference: Breiman et al. 1984, Classification and Regression Trees, section 3.4.3.
        """
        return simplest(self._near)

    @property
    def best_by_mean(self) -> TrialRecord:
        """The completed trial with the best mean.

        Raises: InputError if there is none.
        """
        return self._some[0]

    @cached_property
    def standard_error(self) -> float | None:
        """Standard error of the best mean, by which trials are compared, or None if unknown.

        With several runs per trial it comes from the residuals of trial + run in the ten best
        trials: a fold that is hard for all of them decides between none. With one run per trial
        it is that of a share of `validation_rows` rows if the objective is an accuracy, else it is
        unknown.
        """
        return standard_error(
            final(self.ranked), objective=self.objective, validation_rows=self.validation_rows
        )

    @property
    def choice(self) -> str:
        """How `best` was chosen, in words."""
        if self.standard_error is None:
            return "the best mean; one run per trial does not tell its error"
        error = f"one standard error ({self.standard_error:.2g})"
        if len(self._near) == 1:
            return f"the best mean; no other trial is within {error} of it"
        count = f"{len(self._near)} within {error} of the best mean"
        if self._is_first_guess(self.best):
            return f"the first guess, which is one of {count}"
        return f"the best mean of {count}"

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What to beware of, and what to do about it: a sentence each, the gravest first."""
        evidence = Evidence(
            records=self.records,
            order=self.ranked,
            best=self.best if self.ranked else None,
            declared=self._declared,
            error=self.standard_error,
            importance=self._importance,
        )
        return advice(evidence)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Name, whether logarithmic, and choices of each hyperparameter that can vary."""
        return axes(self._declared)

    def importance(self) -> dict[str, float]:
        """Returns the share of the scores' variance that each hyperparameter causes.

        The shares sum to 1, largest first. A random forest stands for the score over the whole
        space (functional analysis of variance); each interaction is shared equally among those
        that take part in it (Shapley values). Forests make a large effect a little larger and a
        small one smaller. With too few trials the dict is empty, and `warnings` say why.

        Reference: Hutter, Hoos & Leyton-Brown 2014 (ICML).
        """
        return dict(self._importance.shares)

    def frame(self) -> pd.DataFrame:
        """Returns a row per trial: status, scores and values; the index is the trial's number.

        Columns: trial_id, parent, status, score (the mean), standard_error, run_1, run_2, ...,
        best_epoch (the mean), seconds, message, and the hyperparameters by name.
        """
        runs = max((len(each.scores) for each in self.records), default=0)
        names = dict.fromkeys(name for each in self.records for name in each.values)
        rows = [
            {
                "trial_id": each.trial_id,
                "parent": each.parent,
                "status": each.status,
                "score": each.score,
                "standard_error": own_error(each),
                **{f"run_{run + 1}": _item(each.scores, run) for run in range(runs)},
                "best_epoch": sum(each.epochs) / len(each.epochs) if each.epochs else None,
                "seconds": each.seconds,
                "message": each.message,
                **{name: each.values.get(name) for name in names},
            }
            for each in self.records
        ]
        return pd.DataFrame(
            rows, index=pd.Index([each.number for each in self.records], name="trial")
        )

    def to_toml(self, trial: TrialRecord | None = None) -> str:
        """Returns recipe, [model] and [fit] of a trial as TOML; None is written "none".

        Args:
            trial: The trial. Defaults to None, the best.
        """
        trial = self.best if trial is None else trial
        sections = {"model": _plain(trial.model), "fit": _plain(trial.fit)}
        tables = {"recipe": self.recipe, **{k: v for k, v in sections.items() if v}}
        return to_toml(tables)

    def table(self, *, rows: int = _ROWS, width: int = _WIDTH) -> str:
        """Returns the best trials as a table for the terminal; a star marks `best`, always shown.

        Args:
            rows: How many, int >= 1. Defaults to 10.
            width: Characters in a line, int >= 1, beyond which the other columns follow in a
                table below. Defaults to 120.
        """
        check_int("width", width, low=1)
        rows, best = check_int("rows", rows, low=1), self.best
        trials = [
            (rank, each) for rank, each in enumerate(self._some, 1) if rank <= rows or each is best
        ]
        names = [axis.name for axis in self.axes]
        head = ("rank", "trial", "mean", "s.e.", "runs", "epochs", "seconds", *names)
        lines = [head] + [
            (f"{'*' if each is best else ''} {rank:>2}", *_cells(each, names))
            for rank, each in trials
        ]
        return "\n\n".join(_blocks(lines, width))

    def __str__(self) -> str:
        """Returns what was searched, the table, the importance and the warnings."""
        better, count = "higher" if self.direction == "max" else "lower", len(self.records)
        parts = [
            f"{count} trial{'s' * (count != 1)} of {self.recipe}, {len(self.ranked)} completed, by "
            f"{self.objective} ({better} is better)"
        ]
        if self.ranked:
            parts.append(self.table())
            parts.append(f"* {self.choice}")
        shares = [
            f"{name} {100 * share:.0f} %"
            for name, share in self.importance().items()
            if share >= _MATTERS
        ]
        if shares:
            parts.append(f"importance: {', '.join(shares)}")
        parts += [f"warning: {sentence}" for sentence in self.warnings]
        return "\n".join(parts)

    @property
    def _near(self) -> tuple[TrialRecord, ...]:
        return within(final(self._some), self.standard_error)

    def _is_first_guess(self, trial: TrialRecord) -> bool:
        return self.space is not None and is_first_guess(trial.values, self._declared)

    @cached_property
    def _declared(self) -> list[Any]:
        return list(self.space.hyperparameters().space)

    @cached_property
    def _importance(self) -> Importance:
        sign = 1 if self.direction == "max" else -1
        return importance(final(self.ranked), self._declared, sign)

    @property
    def _some(self) -> tuple[TrialRecord, ...]:
        if self.ranked:
            return self.ranked
        said = [f"{count} x {message}" for message, count in failures(self.records)[:_MESSAGES]]
        raise InputError(
            f"None of the {len(self.records)} trials is completed, so there is no best one. "
            + (f"They failed with: {'; '.join(said)}" if said else "Run more trials.")
        )


def _blocks(lines: Sequence[tuple[str, ...]], width: int) -> Iterator[str]:
    """Yields tables no wider than `width` if they can; each begins with rank and trial."""
    columns = []
    for column in zip(*lines, strict=True):
        most = max(map(len, column))
        columns.append([cell.rjust(most) for cell in column])
    keys, rest = columns[:2], columns[2:]
    while rest:
        block = [*keys, rest.pop(0)]
        while rest and sum(len(each[0]) + 2 for each in [*block, rest[0]]) - 2 <= width:
            block.append(rest.pop(0))
        yield "\n".join("  ".join(line) for line in zip(*block, strict=True))


def _cells(record: TrialRecord, names: Sequence[str]) -> tuple[str, ...]:
    error = own_error(record)
    return (
        str(record.number),
        f"{record.score:.4g}",
        "-" if error is None else f"{error:.2g}",
        " ".join(f"{score:.4g}" for score in record.scores),
        " ".join(map(str, record.epochs)),
        f"{record.seconds:.1f}",
        *(_text(shown(record.values, name)) for name in names),
    )


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _item(values: Sequence[float], index: int) -> float | None:
    return values[index] if index < len(values) else None


def _plain(value: Any) -> Any:
    """Returns what TOML can hold."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return "none" if value is None else value
