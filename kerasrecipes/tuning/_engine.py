"""The loop of a search: ask for trials, have them trained, tell what came out."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from keras_tuner.engine.trial import Trial, TrialStatus

from kerasrecipes.tuning._gradient import settings
from kerasrecipes.tuning._json import plain
from kerasrecipes.tuning._records import Records
from kerasrecipes.tuning._run import Run
from kerasrecipes.tuning._trainer import PRUNED, TIME_IS_UP, Outcome, Runs, Task
from kerasrecipes.tuning.trial_record import TrialRecord

_PARENT = "tuner/trial_id"


class Engine:
    """Runs the trials of an oracle until there are no more, or the time is up.

    Args:
        oracle: Says what to try.
        workers: Train trials: `Here`, `Processes` or `Hosts`.
        records: Where trials are kept.
        at_once: How many trials a worker gets at a time.
        deadline: Moment of `time.monotonic()` when the time is up.
        stop_after: Trials without a better one after which the search ends, or None.
        show: Is told of each trial that has ended.
        check: Is called between trials, and may raise KeyboardInterrupt.
    """

    def __init__(
        self,
        oracle: Any,
        workers: Any,
        records: Records,
        *,
        at_once: int,
        deadline: float,
        stop_after: int | None,
        show: Callable[[TrialRecord], None],
        check: Callable[[], None],
    ) -> None:
        self._oracle = oracle
        self._workers = workers
        self._records = records
        self._at_once = at_once
        self._deadline = deadline
        self._stop_after = stop_after
        self._show = show
        self._check = check
        self._promotes = hasattr(oracle, "max_epochs")
        self._kept: dict[str, Runs] = {}
        self._trials: dict[str, Trial] = {}
        self._has_begun = False

    def run(self) -> str:
        """Runs the search; returns why it ended."""
        reason = ""
        while not reason or self._workers.busy:
            self._check()
            if not reason:
                reason = self._why_to_end() or self._hand_out()
            outcomes = self._workers.ended()
            has_some = self._records.has_some or not all(o.is_cut or o.error for o in outcomes)
            for outcome in outcomes:
                if outcome.is_cut and has_some:
                    del self._trials[outcome.trial_id]  # it runs again when the search goes on
                else:
                    self._tell(outcome)
            for worker, lost in self._workers.lost():
                self._give_back(worker, lost)
                reason = ""
        return reason

    def _why_to_end(self) -> str:
        if time.monotonic() > self._deadline and self._has_begun:
            return TIME_IS_UP
        if self._stop_after is not None and self._records.since_best >= self._stop_after:
            return f"none of the last {self._stop_after} trials was better"
        return ""

    def _hand_out(self) -> str:
        """Gives trials to the workers that have none; returns why there are no more, or ""."""
        for worker in self._workers.free():
            trials = self._ask(worker)
            if not trials:
                waiting = self._workers.busy
                return "" if waiting else self._oracle.stop_reason or "there is nothing to try"
            self._has_begun = True
            self._workers.train(worker, [self._task(trial) for trial in trials], self._deadline)
        return ""

    def _ask(self, worker: str) -> list[Trial]:
        trials: list[Trial] = []
        while len(trials) < self._at_once:
            trial = self._oracle.create_trial(f"{worker}/{len(trials)}")
            if trial.status != TrialStatus.RUNNING:
                break
            trials.append(trial)
            self._trials[trial.trial_id] = trial
        return trials

    def _task(self, trial: Trial) -> Task:
        values = dict(trial.hyperparameters.values)
        return Task(trial.trial_id, values, self._kept.get(values.get(_PARENT, ""), {}))

    def _give_back(self, worker: str, lost: Sequence[Outcome]) -> None:
        """Puts the trials of a worker that is gone back; those that have an error have failed."""
        for outcome in lost:
            if outcome.error:
                self._tell(outcome)
        for place in range(self._at_once):
            self._oracle.requeue(f"{worker}/{place}")

    def _tell(self, outcome: Outcome) -> None:
        trial = self._trials.pop(outcome.trial_id)
        if self._promotes:
            self._kept[trial.trial_id] = {(run.fold, run.seed): run for run in outcome.runs}
        record = self._record(trial, outcome)
        if record.score is None:
            trial.status, trial.message = TrialStatus.INVALID, record.message
        else:
            name = self._oracle.objective.name
            self._oracle.update_trial(trial.trial_id, {name: record.score}, step=max(record.epochs))
            trial.status = TrialStatus.COMPLETED
        self._records.add(record)
        self._oracle.end_trial(trial)
        self._show(record)

    def _record(self, trial: Trial, outcome: Outcome) -> TrialRecord:
        values, runs = plain(trial.hyperparameters.values), outcome.runs
        scores = tuple(run.best for run in runs if run.best is not None)
        status = PRUNED if any(run.ending == PRUNED for run in runs) else "completed"
        return TrialRecord(
            number=int(trial.trial_id) + 1,
            trial_id=trial.trial_id,
            values={**values, **settings(runs)},
            model=plain(runs[0].model) if runs else {},
            fit=_fit(runs[0]) if runs else {},
            status="failed" if outcome.error else status,
            scores=scores,
            score=None if outcome.error else math.fsum(scores) / len(scores),
            epochs=tuple(run.best_epoch for run in runs),
            seconds=outcome.seconds,
            message=outcome.error or (TIME_IS_UP if outcome.is_cut else None),
            parent=values.get(_PARENT),
            curves=tuple(tuple(run.curve) for run in runs),
        )


def _fit(run: Run) -> dict[str, Any]:
    return {"batch_size": run.batch_size, "epochs": run.epochs}
