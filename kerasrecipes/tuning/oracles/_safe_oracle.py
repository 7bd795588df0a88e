"""What every search method of this package adds to the KerasTuner oracle that it is."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.hyperparameters import Fixed
from keras_tuner.engine.trial import Trial, TrialStatus

from kerasrecipes._checks import InputError, check_int, fail
from kerasrecipes._seeds import child_seed
from kerasrecipes.callbacks.monitor import direction
from kerasrecipes.tuning.oracles._fresh import fresh
from kerasrecipes.tuning.oracles._safe_project import OPEN, SafeProject
from kerasrecipes.tuning.oracles._sequence import sobol
from kerasrecipes.tuning.oracles._space import Values, at, complete, key, to_unit


class SafeOracle(SafeProject):
    """Nothing lost, nothing tried twice, nothing reused that belongs to another search.

    To be named before a KerasTuner oracle: `class RandomSearch(SafeOracle, RandomSearchOracle)`.

    - All that a search knows is in the files of its trials, each of which is written whole or not
      at all. So a search that was killed at any moment goes on, and `oracle.json`, which KerasTuner
      wants, is written but never read. A damaged `trial.json` is set aside, with a warning.
    - Each trial carries the fingerprint of its search. `reload` refuses trials of another one.
    - A score that is NaN or infinite makes a failed trial.
    - No values are tried twice; a finite space is exhausted, then the search stops.
    - What is proposed depends on the seed and on the trials before, not on how often the process
      was started.
    - Trials that were running when the process was killed, and those of a worker that is gone
      (`requeue`), run again with the same id and values.
    - Nothing is printed.

    Args:
        objective: `keras_tuner.Objective`, or the name of a metric that has a known direction.
        max_trials: Trials after which the search stops, int >= 1, or None.
        hyperparameters: `keras_tuner.HyperParameters` with the search space. None lets a
            `keras_tuner` tuner find it out.
        seed: Int >= 0, or None for a random one. Defaults to None.
        fingerprint: Dict of what the scores depend on (data, recipe, folds), of types that JSON
            has. Method, objective, space and seed are added to it. Defaults to None.
        max_retries_per_trial: How often a trial that failed is run again, int >= 0. Defaults to 0.
        max_consecutive_failed_trials: Failures in a row, since the start of the process, after
            which the search stops, int >= 1, or None. Defaults to 10.
        together: How many trials in a row have the same values of `shared`, int >= 1: those of
            which it is dear to try another one, such as the layers. Defaults to 1.
        shared: Names of hyperparameters. Defaults to none.
        first_guess: Whether the first trial has the default of each hyperparameter. Defaults to
            False.
        **kwargs: Arguments of the KerasTuner oracle.

    Attributes:
        stop_reason: Why the search stopped, or None.
    """

    def __init__(
        self,
        objective: Any = None,
        *,
        max_trials: int | None = None,
        hyperparameters: Any = None,
        seed: int | None = None,
        fingerprint: Mapping[str, Any] | None = None,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int | None = 10,
        together: int = 1,
        shared: Sequence[str] = (),
        first_guess: bool = False,
        **kwargs: Any,
    ) -> None:
        if max_trials is not None:
            check_int("max_trials", max_trials, low=1)
        if seed is not None:
            check_int("seed", seed, low=0)
        if max_consecutive_failed_trials is not None:
            check_int("max_consecutive_failed_trials", max_consecutive_failed_trials, low=1)
        check_int("max_retries_per_trial", max_retries_per_trial, low=0)
        kwargs.setdefault("allow_new_entries", hyperparameters is None)
        kwargs.setdefault("tune_new_entries", hyperparameters is None)
        super().__init__(
            fingerprint=fingerprint,
            seed=seed,
            objective=as_objective(objective),
            hyperparameters=hyperparameters,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
            **kwargs,
        )
        self.max_trials = max_trials
        self._together = check_int("together", together, low=1)
        self._shared = frozenset(shared)
        self._first_guess = first_guess
        self._number = 0
        self.stop_reason: str | None = None

    def create_trial(self, tuner_id: str) -> Trial:
        """Returns the next trial for a worker, with status RUNNING, IDLE or STOPPED."""
        with self._lock:
            if tuner_id in self.ongoing_trials:
                return self.ongoing_trials[tuner_id]
            self.tuner_ids.add(tuner_id)
            trial = self._queued_trial() or self._new_trial()
            if trial.status == TrialStatus.RUNNING:
                self.trials[trial.trial_id] = trial
                self.ongoing_trials[tuner_id] = trial
                self._write(trial)
            elif trial.status == TrialStatus.STOPPED:
                self.tuner_ids.discard(tuner_id)
            return trial

    def _queued_trial(self) -> Trial | None:
        if not self._retry_queue:
            return None
        trial = self.trials[self._retry_queue.pop(0)]
        trial.status = TrialStatus.RUNNING
        return trial

    def _new_trial(self) -> Trial:
        trial_id = next(i for i in map("{:04d}".format, itertools.count()) if i not in self.trials)
        self._rng = np.random.default_rng((self.seed, int(trial_id)))
        self._number = int(trial_id)
        self.stop_reason = self._limit()
        proposal: dict[str, Any] = {"status": TrialStatus.STOPPED}
        if self.stop_reason is None:
            proposal = self.populate_space(trial_id)
            if proposal["status"] == TrialStatus.STOPPED:
                self.stop_reason = "all that the search could try has been tried"
        trial = self._trial(trial_id, proposal)
        if trial.status == TrialStatus.RUNNING:
            self.start_order.append(trial_id)
        return trial

    def _trial(self, trial_id: str, proposal: Mapping[str, Any]) -> Trial:
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.values = dict(proposal.get("values") or {})
        return Trial(hyperparameters, trial_id=trial_id, status=proposal["status"])

    def _limit(self) -> str | None:
        if self.max_trials is not None and len(self.trials) >= self.max_trials:
            return f"max_trials={self.max_trials} have run"
        failed = itertools.takewhile(
            lambda trial: trial.status == TrialStatus.FAILED,
            (self.trials[trial_id] for trial_id in reversed(self.end_order[self._ended_before :])),
        )
        messages = [trial.message for trial in failed]
        limit = self.max_consecutive_failed_trials
        if limit is not None and len(messages) >= limit:
            return f"{len(messages)} trials in a row failed, the last with: {messages[0]}"
        return None

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> Trial:
        """Records metrics of a trial at a step, which may be NaN or infinite."""
        with self._lock:
            trial = self._known(trial_id)
            self._check_objective_found(metrics)
            for name, value in metrics.items():
                if not trial.metrics.exists(name):
                    trial.metrics.register(name, direction=self._direction(name))
                # Not `metrics.update`, which warns of NaN.
                trial.metrics.metrics[name].update(float(value), step=step)
            self._write(trial)
            return trial

    def _direction(self, name: str) -> str:
        if name == self.objective.name:
            return self.objective.direction
        try:
            return direction(name)
        except InputError:
            return "min"

    def end_trial(self, trial: Trial) -> None:
        """Ends a trial, whose status is COMPLETED, INVALID (it may be run again) or FAILED."""
        with self._lock:
            ended, trial = trial, self._known(trial.trial_id)
            if trial.trial_id in self.end_order:
                return  # a worker that was thought gone; the trial has been run by another
            trial.status, trial.message = ended.status, ended.message
            if self.allow_new_entries:
                trial.hyperparameters = ended.hyperparameters
                self.update_space(ended.hyperparameters)
            if trial.status == TrialStatus.COMPLETED:
                self.score_trial(trial)
            self._run_times[trial.trial_id] += 1
            self._release(trial.trial_id)
            if trial.status == TrialStatus.INVALID:
                self._retry_or_fail(trial)
            if trial.status not in OPEN:
                self.end_order.append(trial.trial_id)
            self._write(trial)

    def score_trial(self, trial: Trial) -> None:
        """Gives a trial its best finite score; one that has none is not valid."""
        name = self.objective.name
        found = trial.metrics.get_history(name) if trial.metrics.exists(name) else []
        finite = [each for each in found if np.isfinite(each.mean())]
        if not finite:
            values = [float(each.mean()) for each in found]
            trial.status = TrialStatus.INVALID
            trial.message = f"{name} is {values[-1]}" if values else f"there is no {name}"
            return
        best = max if self.objective.direction == "max" else min
        chosen = best(finite, key=lambda each: each.mean())
        trial.score, trial.best_step = float(chosen.mean()), chosen.step

    def _retry_or_fail(self, trial: Trial) -> None:
        if self._run_times[trial.trial_id] > self.max_retries_per_trial:
            trial.status = TrialStatus.FAILED
        else:
            self._queue(trial)

    def _release(self, trial_id: str) -> None:
        for tuner_id, trial in list(self.ongoing_trials.items()):
            if trial.trial_id == trial_id:
                del self.ongoing_trials[tuner_id]
        if trial_id in self._retry_queue:
            self._retry_queue.remove(trial_id)

    def requeue(self, tuner_id: str) -> str | None:
        """Gives the trial of a worker that is gone back to the queue; returns its id, if any."""
        with self._lock:
            self.tuner_ids.discard(tuner_id)
            trial = self.ongoing_trials.get(tuner_id)
            if trial is None:
                return None
            self._release(trial.trial_id)
            self._queue(trial)
            self._write(trial)
            return trial.trial_id

    def get_best_trials(self, num_trials: int = 1) -> list[Trial]:
        """Returns the completed trials from the best on, at most `num_trials`.

        Raises: RuntimeError if there is none, with what the failed ones said.
        """
        ended = [t for t in self.trials.values() if t.status == TrialStatus.COMPLETED]
        if not ended:
            raise RuntimeError(self._why_none())
        worst_first = self.objective.direction == "max"
        ended.sort(key=lambda trial: trial.score, reverse=worst_first)
        return ended[:num_trials]

    def _why_none(self) -> str:
        failed = [t for t in self.trials.values() if t.status == TrialStatus.FAILED]
        if not failed:
            return "There is no best trial: none has ended yet."
        said = Counter(_last_line(trial.message) for trial in failed).most_common(5)
        shown = "; ".join(f"{message} ({number} of {len(failed)})" for message, number in said)
        return f"There is no best trial: all {len(failed)} that ended failed. They said: {shown}."

    def _known(self, trial_id: str) -> Trial:
        if trial_id not in self.trials:
            fail("trial_id", "the id of a trial of this search", trial_id)
        return self.trials[trial_id]

    def _completed(self) -> list[Trial]:
        """Returns the completed trials in the order of their numbers."""
        ended = (self.trials[trial_id] for trial_id in sorted(self.trials))
        return [trial for trial in ended if trial.status == TrialStatus.COMPLETED]

    def _loss(self, trial: Trial) -> float:
        """Returns the score of a completed trial, turned so that lower is better."""
        return -trial.score if self.objective.direction == "max" else trial.score

    def _fresh(self, propose: Any, options: Any = None) -> Values | None:
        """Returns what `propose` gives and no trial has tried; see `fresh`."""
        if self._number == 0 and self._first_guess and options is None:
            propose = self._defaults
        tried = {key(trial.hyperparameters.values) for trial in self.trials.values()}
        return fresh(propose, tried, self.hyperparameters.space, self._rng, options)

    def _defaults(self) -> Values:
        return complete(self.hyperparameters.space, lambda hp: hp.default)

    def _random_values(self) -> Values | None:
        """What KerasTuner's oracles call."""
        return self._fresh(self._random)

    def _random(self) -> Values:
        """Returns values that are uniform on the scale of each hyperparameter."""
        space = self.hyperparameters.space
        return at(space, self._grouped(self._rng.random(len(space))))

    def _grouped(self, places: np.ndarray) -> np.ndarray:
        """Returns a point of the unit cube at whose shared axes all trials of the group are."""
        space = self.hyperparameters.space
        if self._together == 1 or not self._shared:
            return places
        seed, group = child_seed(self.seed, "shared") or 0, self._number // self._together
        (shared,) = sobol(len(space), seed, first=group)
        if group == 0 and self._first_guess:
            shared = np.array([to_unit(hp, hp.default) for hp in space])
        return np.where([hp.name in self._shared for hp in space], shared, places)

    def _tuned(self) -> list[Any]:
        """Returns the hyperparameters that have more than one value."""
        return [hp for hp in self.hyperparameters.space if not isinstance(hp, Fixed)]


def running(values: Values | None) -> dict[str, Any]:
    """Returns what `populate_space` returns: None stands for nothing left to try."""
    status = TrialStatus.STOPPED if values is None else TrialStatus.RUNNING
    return {"status": status, "values": values}


def as_objective(objective: Any) -> Any:
    if isinstance(objective, str):
        return keras_tuner.Objective(objective, direction(objective))
    return objective


def _last_line(message: str | None) -> str:
    lines = (message or "").strip().splitlines()
    return lines[-1].strip() if lines else "nothing"
