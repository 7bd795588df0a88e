"""The files of a search: all that it knows, in those of its trials."""

import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus

from kerasrecipes._checks import InputError, fail
from kerasrecipes.tuning._json import plain, write_json
from kerasrecipes.tuning.oracles import _project
from kerasrecipes.tuning.oracles._space import describe

OPEN = (TrialStatus.RUNNING, TrialStatus.IDLE, TrialStatus.INVALID)


class SafeProject:
    """Writes and reads the trials of the KerasTuner oracle that is named after it.

    Args:
        fingerprint: What the scores depend on.
        seed: As the user gave it.
        **kwargs: Arguments of the KerasTuner oracle.
    """

    objective: Any
    hyperparameters: Any
    allow_new_entries: bool
    max_retries_per_trial: int
    max_consecutive_failed_trials: int | None
    trials: dict[str, Trial]
    ongoing_trials: dict[str, Trial]
    tuner_ids: set[str]
    start_order: list[str]
    end_order: list[str]
    seed: int
    get_state: Any
    update_space: Any
    populate_space: Any
    _run_times: dict[str, int]
    _check_objective_found: Any

    _settings: Mapping[str, Any] = {}

    def __init__(
        self, *, fingerprint: Mapping[str, Any] | None, seed: int | None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, **kwargs)  # pyright: ignore
        if seed is not None:  # KerasTuner takes a random one for 0
            self.seed = seed
        self._seed_given = seed is not None
        self._fingerprint = dict(fingerprint or {})
        self._folder: Path | None = None
        self._retry_queue: list[str] = []
        self._ended_before = 0
        self._lock = threading.RLock()
        self._rng = np.random.default_rng(self.seed)

    def belongs_to(self, fingerprint: Mapping[str, Any]) -> None:
        """Adds to what the scores depend on; to be called before there are trials."""
        self._fingerprint.update(fingerprint)

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What the scores depend on, as it is written beside each trial."""
        own: dict[str, Any] = {
            "method": type(self).__name__,
            **self._settings,
            "objective": f"{self.objective.name} ({self.objective.direction})",
        }
        if not self.allow_new_entries:
            own["space"] = describe(self.hyperparameters.space)
        return plain({**own, **self._fingerprint})

    def open_project(self, directory: str | Path, project_name: str = "search") -> int:
        """Keeps the search in a folder, takes up what is there, and returns how many trials."""
        self._set_project_dir(str(directory), project_name)
        self.reload()
        return len(self.trials)

    def _set_project_dir(self, directory: Any, project_name: str) -> None:
        """What KerasTuner's tuners call."""
        super()._set_project_dir(directory, project_name)  # pyright: ignore
        self._folder = Path(directory) / project_name

    def save(self) -> None:
        """Writes `oracle.json`, which shows that a project is there and is never read."""
        if self._folder is not None:
            write_json(self._folder / "oracle.json", self.get_state())

    def reload(self) -> None:
        """Takes up the trials that lie in the project; those that did not end run again.

        Raises: InputError if they are of another search: it names each difference.
        """
        with self._lock:
            if self._folder is None:
                fail("directory", "set by `open_project` or by a tuner", None)
            found, damaged = _project.read_trials(self._folder)
            self._check_same_search(found)
            for path in damaged:
                _project.set_aside(path)
            self._take_up(found)
            if self.trials:
                self.save()

    def run_again(self, trial_id: str) -> None:
        """Has a trial that has ended run again, and warns: what it came to is lost."""
        warnings.warn(
            f"What trial {trial_id} in {self._folder} came to is missing or damaged. It is run "
            "again.",
            stacklevel=2,
        )
        with self._lock:
            self.end_order.remove(trial_id)
            self._ended_before = len(self.end_order)
            self._queue(self.trials[trial_id])

    def _check_same_search(self, found: Sequence[tuple[Trial, Mapping[str, Any]]]) -> None:
        here = self.fingerprint
        if self._seed_given:
            here["seed"] = self.seed
        for trial, notes in found:
            there = dict(notes.get("fingerprint", {}))
            if self._seed_given:
                there["seed"] = notes.get("seed")
            different = _project.differences(there, here)
            if different:
                raise InputError(
                    f"`directory` must be new or of the same search. {self._folder} holds another "
                    f"one (trial {trial.trial_id}): {'; '.join(different)}. "
                    "Give another directory, or delete that one."
                )

    def _take_up(self, found: Sequence[tuple[Trial, Mapping[str, Any]]]) -> None:
        self.trials = {trial.trial_id: trial for trial, _ in found}
        self.start_order = list(self.trials)
        self.ongoing_trials, self.tuner_ids, self._retry_queue = {}, set(), []
        ended = {}
        for trial, notes in found:
            self.seed = notes.get("seed", self.seed)
            self._run_times[trial.trial_id] = notes.get("runs", 0)
            if trial.status in OPEN:
                self._queue(trial)
            else:
                ended[trial.trial_id] = notes.get("ended", len(ended))
            if self.allow_new_entries:
                self.update_space(trial.hyperparameters)
        self.end_order = sorted(ended, key=lambda trial_id: ended[trial_id])
        self._ended_before = len(self.end_order)

    def _write(self, trial: Trial) -> None:
        if self._folder is None:
            return
        notes: dict[str, Any] = {
            "fingerprint": self.fingerprint,
            "seed": self.seed,
            "runs": self._run_times[trial.trial_id],
        }
        if trial.trial_id in self.end_order:
            notes["ended"] = self.end_order.index(trial.trial_id)
        path = self._folder / f"trial_{trial.trial_id}" / "trial.json"
        write_json(path, {**trial.get_state(), "kerasrecipes": notes})
        self.save()

    def _queue(self, trial: Trial) -> None:
        trial.metrics.metrics.clear()
        trial.score, trial.best_step = None, 0
        trial.status = TrialStatus.INVALID
        self._retry_queue.append(trial.trial_id)
