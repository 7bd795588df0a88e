"""Training trials in this process."""

from collections.abc import Sequence
from typing import Any

from kerasrecipes.tuning._trainer import Outcome, Task, Trainer

_NAME = "worker-0"


class Here:
    """The only worker is this process.

    Args:
        trainer: Trains trials.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._runner = trainer.runner()
        self._outcomes: list[Outcome] = []

    busy = False

    def free(self) -> list[str]:
        """Returns the workers that have nothing to do."""
        return [_NAME]

    def train(self, worker: str, tasks: Sequence[Task], deadline: float) -> None:
        """Trains trials."""
        self._outcomes += self._trainer.train(self._runner, tasks, deadline)

    def ended(self) -> list[Outcome]:
        """Returns what came of the trials that have ended since the last call."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def lost(self) -> list[tuple[str, list[Outcome]]]:
        """Returns the workers that are gone: none."""
        return []

    def tell(self, records: Any) -> None:
        """Does nothing: who asked for the search has the records."""

    def close(self) -> None:
        """Does nothing."""
