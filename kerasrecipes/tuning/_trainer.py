"""Trains whole trials: a run for each fold and repeat."""

import dataclasses
import inspect
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from kerasrecipes._checks import InputError
from kerasrecipes.recipes._call import call, takes_backbone
from kerasrecipes.tuning._fit_runner import FitRunner
from kerasrecipes.tuning._fold import Fold
from kerasrecipes.tuning._graph_runner import GraphRunner
from kerasrecipes.tuning._own import own, own_target
from kerasrecipes.tuning._plain_loss import NAME, with_plain_loss
from kerasrecipes.tuning._plan import Plan
from kerasrecipes.tuning._recipes import takes_table
from kerasrecipes.tuning._run import Run
from kerasrecipes.tuning._selection import is_first_guess
from kerasrecipes.tuning.search_space import SearchSpace

TIME_IS_UP = "the time was up"
PRUNED = "pruned"
_EPOCHS = "tuner/epochs"

Runs = dict[tuple[int, int], Run]


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """A trial to train.

    Attributes:
        trial_id: The trial.
        values: Its hyperparameters.
        done: Runs that it goes on with, by fold and seed.
    """

    trial_id: str
    values: Mapping[str, Any]
    done: Runs


@dataclasses.dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a task.

    Attributes:
        trial_id: The trial.
        runs: Its runs, in order.
        error: How it failed, "" if it did not.
        seconds: Its share of the time that all tasks took together.
    """

    trial_id: str
    runs: Sequence[Run]
    error: str
    seconds: float

    @property
    def is_cut(self) -> bool:
        """Whether it had to end because the time was up."""
        return not self.error and any(run.ending == TIME_IS_UP for run in self.runs)


@dataclasses.dataclass(frozen=True, eq=False)
class Trainer:
    """All that the training of a trial depends on; another process can be given it.

    Attributes:
        recipe: The recipe function.
        target: What it predicts.
        space: Turns the values of a trial into arguments.
        folds: Rows to train on and to validate with.
        plan: How to train.
        objective: Log entry of the objective.
        direction: "min" or "max".
        population: How many runs share a graph at most; 0 for `fit`.
        keep_state: Whether trials may go on later.
        pruner: Says which are not worth going on, or None.
        race: Says which are not worth another fold, or None.
        callbacks: Makes more callbacks for each run, or None.
        strategy: As for recipes.
        is_prepared: Whether the rows have been preprocessed, so that no model has to.
    """

    recipe: Callable[..., Any]
    target: Any
    space: SearchSpace
    folds: Sequence[Fold]
    plan: Plan
    objective: str
    direction: str
    population: int
    keep_state: bool
    pruner: Any = None
    race: Any = None
    callbacks: Callable[[], Sequence[keras.callbacks.Callback]] | None = None
    strategy: Any = None
    is_prepared: bool = False

    @property
    def shares(self) -> bool:
        """Whether runs share graphs, where their models can."""
        alone = self.callbacks is not None or self.strategy is not None
        alone = alone or takes_table(self.recipe) or takes_backbone(self.recipe)
        return self.population > 0 and not alone

    @property
    def validation_rows(self) -> int:
        """Rows that the score of a trial is of, all folds together."""
        return sum(len(fold.validation[1]) for fold in self.folds)

    def runner(self) -> Any:
        """Returns a runner, which keeps graphs for later trials."""
        alone = FitRunner(self.build, self.objective, callbacks=self.callbacks)
        if not self.shares:
            return alone
        return GraphRunner(self.build, self.objective, places=self.population, other=alone)

    def build(self, arguments: Mapping[str, Any], seed: int, fold: int) -> Any:
        """Returns a compiled model for the rows of a fold, which are preprocessed."""
        accepted = inspect.signature(self.recipe).parameters
        given = {"seed": seed, "strategy": self.strategy}
        given = {name: value for name, value in given.items() if name in accepted}
        if self.is_prepared and takes_backbone(self.recipe):
            given["preprocessing"] = None
        if "seed" not in given:
            keras.utils.set_random_seed(seed)
        x, y = self.folds[fold].train[:2]
        target = own_target(self.recipe, self.target, y)
        model = call(self.recipe, x, target, {**given, **arguments})
        is_plain = self.objective == f"val_{NAME}"
        return with_plain_loss(model, target) if is_plain else model

    def train(self, runner: Any, tasks: Sequence[Task], deadline: float) -> list[Outcome]:
        """Trains trials side by side; all of them on one fold, then on the next.

        Args:
            runner: What `runner` has returned.
            tasks: The trials.
            deadline: Moment of `time.monotonic()` when the time is up.
        """
        began = time.monotonic()
        runs: dict[str, list[Run]] = {task.trial_id: [] for task in tasks}
        errors: dict[str, str] = {}

        def stops(run: Run) -> str:
            return TIME_IS_UP if time.monotonic() > deadline else self._pruned(run)

        for fold in range(len(self.folds)):
            queue: list[Run] = []
            for task in tasks:
                name = task.trial_id
                if name in errors or not all(map(_is_whole, runs[name])):
                    continue
                try:
                    new = [self._run(task, fold, r) for r in range(self.plan.repeats)]
                except InputError as error:
                    errors[name] = str(error)
                    continue
                runs[name] += new
                queue += new
            runner.train(queue, self.folds[fold], stops=stops, keep_state=self.keep_state)
            errors |= {run.trial_id: run.error for run in queue if run.error}
            self._leave_behind(runs)
        seconds = (time.monotonic() - began) / max(len(tasks), 1)
        return [
            Outcome(name, found, _error(found, errors.get(name, "")), seconds)
            for name, found in runs.items()
        ]

    def _leave_behind(self, runs: Mapping[str, Sequence[Run]]) -> None:
        """Marks the trials whose mean so far is too poor for another fold."""
        if self.race is None:
            return
        means = {}
        for name, found in runs.items():
            folds = 1 + max((run.fold for run in found), default=-1)
            if 0 < folds < len(self.folds) and found and all(map(_is_whole, found)):
                scores = (math.nan if run.best is None else run.best for run in found)
                means[name] = folds, statistics.fmean(scores)
        for name, (folds, mean) in means.items():
            self.race.stops(name, folds, mean)
        for name, (folds, mean) in means.items():  # again, now that all of them are known
            if self.race.stops(name, folds, mean) and not runs[name][0].is_first_guess:
                runs[name][-1].ending = PRUNED

    def _run(self, task: Task, fold: int, repeat: int) -> Run:
        model, fit = self.space.arguments(task.values)
        plan, its = self.plan, own(self.recipe, model, self.folds[fold].rows, self.target)
        epochs = int(fit.get("epochs") or plan.epochs or its.epochs)
        run = Run(
            trial_id=task.trial_id,
            fold=fold,
            seed=self.plan.seed + repeat,
            model={**model, **{n: v for n, v in its.rates.items() if model.get(n, v) is None}},
            batch_size=int(fit.get("batch_size") or plan.batch_size or its.batch_size),
            epochs=epochs,
            until=min(epochs, int(task.values.get(_EPOCHS, epochs))),
            patience=plan.patience or its.patience or epochs,
            direction=self.direction,
            is_first_guess=is_first_guess(task.values, self.space.hyperparameters().space),
        )
        done = task.done.get((fold, run.seed))
        return run if done is None else run.going_on_from(done)

    def _pruned(self, run: Run) -> str:
        if self.pruner is None or run.fold > 0 or run.is_first_guess:
            return ""
        name = f"{run.trial_id}/{run.seed}"
        return PRUNED if self.pruner.stops(name, len(run.curve), run.curve[-1]) else ""


def _is_whole(run: Run) -> bool:
    return not run.error and run.ending not in (PRUNED, TIME_IS_UP)


def _error(runs: Sequence[Run], error: str) -> str:
    if not error and any(run.best is None for run in runs):
        return "The objective was never finite."
    return error
