"""TrialRecord."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from kerasrecipes._export import export


@export("tuning", saved=False)
@dataclasses.dataclass(frozen=True)
class TrialRecord:
    """What a search knows of one trial; also the JSON file that it leaves of it.

    Attributes:
        number: From 1, in the order in which the trials began.
        trial_id: KerasTuner's name of the trial.
        values: The active hyperparameters by name; for "gradient" also the "learning_rate", before
            its schedule, and the "weight_decay" that the trial has come to at its best epoch.
        model: Arguments of the recipe that follow from them.
        fit: Batch size and what else is not the recipe's.
        status: "completed", "failed" or "pruned".
        scores: Objective at the best epoch of each run; one run for each fold and repeat.
        score: Mean of the scores, None for a trial that failed.
        epochs: Best epoch of each run, from 1.
        seconds: Time that the trial took.
        message: How it failed, or that it was cut because the time was up, or None.
        parent: Trial that this one continues (Hyperband), or None.
        curves: Objective at each epoch of each run.

    Example:
    >>> values = {"learning_rate": 0.01}
    >>> record = TrialRecord(1, "0000", values, values, {}, "completed", (0.5,), 0.5, (3,), 1.5)
    >>> TrialRecord.from_dict(record.to_dict()) == record
    True
    """

    number: int
    trial_id: str
    values: Mapping[str, Any]
    model: Mapping[str, Any]
    fit: Mapping[str, Any]
    status: str
    scores: tuple[float, ...]
    score: float | None
    epochs: tuple[int, ...]
    seconds: float
    message: str | None = None
    parent: str | None = None
    curves: tuple[tuple[float, ...], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns what `from_dict` takes, of types that JSON has."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Self:
        """Returns the record that `to_dict` described, from JSON too."""
        found = dict(found)
        for name in ("scores", "epochs"):
            found[name] = tuple(found[name])
        found["curves"] = tuple(tuple(curve) for curve in found["curves"])
        return cls(**found)
