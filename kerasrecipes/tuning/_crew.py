"""What is known of workers that may die: who trains what, and what came of it."""

from collections import Counter
from collections.abc import Sequence

from kerasrecipes.tuning._trainer import Outcome, Task

_DEATHS = 2


class Crew:
    """The books of a group of workers, in which nothing is lost when one of them dies.

    Trials of a worker that is gone are handed out again; those during which two workers died have
    failed.

    Attributes:
        tasks: What each worker trains now, by its name.
    """

    def __init__(self) -> None:
        self.tasks: dict[str, Sequence[Task]] = {}
        self._outcomes: list[Outcome] = []
        self._lost: list[tuple[str, list[Outcome]]] = []
        self._deaths: Counter[str] = Counter()

    @property
    def busy(self) -> bool:
        """Whether a worker has something to do."""
        return bool(self.tasks)

    def names(self) -> list[str]:
        """Returns the workers that there are."""
        raise NotImplementedError

    def free(self) -> list[str]:
        """Returns the workers that have nothing to do."""
        return [name for name in self.names() if name not in self.tasks]

    def look(self) -> None:
        """Takes what has come from the workers; waits a moment for it."""
        raise NotImplementedError

    def ended(self) -> list[Outcome]:
        """Returns what came of the trials that have ended since the last call; waits a moment."""
        self.look()
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def lost(self) -> list[tuple[str, list[Outcome]]]:
        """Returns the workers that are gone, with the trials that they died of too often."""
        lost, self._lost = self._lost, []
        return lost

    def took(self, worker: str, outcomes: Sequence[Outcome]) -> None:
        """Notes what a worker has finished."""
        self._outcomes += outcomes
        self.tasks.pop(worker, None)

    def has_gone(self, worker: str, how: str) -> None:
        """Notes that a worker is gone, and how."""
        tasks = self.tasks.pop(worker, ())
        self._deaths.update(task.trial_id for task in tasks)
        failed = [t.trial_id for t in tasks if self._deaths[t.trial_id] >= _DEATHS]
        why = f"What trained it {how}, {_DEATHS} times."
        self._lost.append((worker, [Outcome(trial_id, (), why, 0.0) for trial_id in failed]))
