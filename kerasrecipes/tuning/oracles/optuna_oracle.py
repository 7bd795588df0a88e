"""Optuna."""

import contextlib
import functools
import importlib
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.hyperparameters import Choice
from keras_tuner.engine.trial import Trial, TrialStatus

from kerasrecipes._checks import InputError, did_you_mean, fail
from kerasrecipes._export import export
from kerasrecipes.tuning._json import write_json
from kerasrecipes.tuning.oracles._fresh import random_values
from kerasrecipes.tuning.oracles._safe_oracle import SafeOracle, running
from kerasrecipes.tuning.oracles._space import (
    Values,
    active,
    choices,
    complete,
    contains,
    from_unit,
    numeric,
    to_unit,
)

_ASKED = 10
_STATES = {TrialStatus.COMPLETED: "COMPLETE", TrialStatus.FAILED: "FAIL"}


@export("oracles", saved=False)
class Optuna(SafeOracle, keras_tuner.Oracle):
    """A sampler of Optuna proposes, by default its tree-structured Parzen estimator (TPE).

    Optuna is asked for one hyperparameter after the other, those whose conditions hold. A number is
    asked for by its place on its scale (linear, log), a category by its values. Completed trials
    are told with their scores, failed ones as failed, and those that run as running, so that TPE
    keeps away from them. If it repeats itself, values are taken that have not been tried.

    There is no database: for each trial the study is built anew in memory from the files of the
    trials, with a sampler whose seed follows from that of the search and the trial's number. So a
    search goes on as if it had never been killed. What a sampler notes beside a trial, as CMA-ES
    does, is kept in a file of the trial's folder. A sampler that needs the same seed for all
    trials, as a scrambled `QMCSampler` does, has to be made by a function that gives it one.

    Needs `pip install 'kerasrecipes[optuna]'`. Takes the arguments of KerasTuner's oracle, and
    `fingerprint`; `get` describes them.

    Args:
        sampler: Name of a class of `optuna.samplers`, or a function that makes a sampler and takes
            its `seed`, such as `functools.partial(optuna.samplers.TPESampler,
            n_startup_trials=20)`. Defaults to "TPESampler".

    Raises: InputError if Optuna is not installed, or has no sampler of that name.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> _ = hp.Float("x", 0.0, 1.0)
    >>> oracle = Optuna("val_loss", hyperparameters=hp, seed=0)  # doctest: +SKIP
    >>> round(oracle.create_trial("worker").hyperparameters["x"], 4)  # doctest: +SKIP
    0.4138

    Reference: Akiba et al. 2019, arXiv:1907.10902; Bergstra et al. 2011, NeurIPS (TPE).
    """

    def __init__(
        self,
        objective: Any = None,
        *,
        sampler: str | Callable[..., Any] = "TPESampler",
        **kwargs: Any,
    ) -> None:
        self._sampler = _maker(sampler)
        self._settings = {"sampler": _description(sampler)}
        self._attributes: dict[str, Mapping[str, Any]] = {}
        super().__init__(objective, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, as KerasTuner asks for them."""
        asked: list[tuple[Values, dict[str, Any]]] = []
        with _quiet():
            study, attributes_of_study = self._study()

            def propose() -> Values:
                if len(asked) == _ASKED:
                    return random_values(self.hyperparameters.space, self._rng)
                trial = study.ask()
                values = complete(self.hyperparameters.space, lambda hp: _suggested(trial, hp))
                notes = study.get_trials(deepcopy=False)[trial.number].system_attrs
                asked.append((values, {"trial": dict(notes), "study": attributes_of_study()}))
                return values

            values = self._fresh(propose)
        notes = next((notes for each, notes in asked if each is values), {})
        self._note(trial_id, {name: found for name, found in notes.items() if found})
        return running(values)

    def _study(self) -> tuple[Any, Callable[[], dict[str, Any]]]:
        """Returns a study of all trials, and what tells the notes that its sampler has made."""
        optuna = library()
        storage = optuna.storages.InMemoryStorage()
        study = optuna.create_study(
            storage=storage,
            sampler=self._sampler(seed=int(self._rng.integers(2**31))),
            direction="maximize" if self.objective.direction == "max" else "minimize",
        )
        number = storage.get_study_id_from_name(study.study_name)
        for trial_id in sorted(self.trials):
            study.add_trial(self._told(self.trials[trial_id]))
            for name, value in self._attributes.get(trial_id, {}).get("study", {}).items():
                storage.set_study_system_attr(number, name, value)
        return study, lambda: dict(storage.get_study_system_attrs(number))

    def _told(self, trial: Trial) -> Any:
        """Returns a trial as Optuna has it."""
        optuna = library()
        params, distributions, values = {}, {}, trial.hyperparameters.values
        for hp in self.hyperparameters.space:
            distribution = _distribution(hp)
            if distribution is None or not active(hp, values) or not _has(values, hp):
                continue
            params[_label(hp)] = _asked_for(hp, values[hp.name])
            distributions[_label(hp)] = distribution
        state = _STATES.get(trial.status, "RUNNING")
        return optuna.trial.create_trial(
            state=optuna.trial.TrialState[state],
            value=trial.score if state == "COMPLETE" else None,
            params=params,
            distributions=distributions,
            system_attrs=self._attributes.get(trial.trial_id, {}).get("trial"),
        )

    def _note(self, trial_id: str, notes: Mapping[str, Any]) -> None:
        self._attributes[trial_id] = notes
        path = self._notes_path(trial_id)
        if path is not None and notes:
            write_json(path, notes)
        elif path is not None:
            path.unlink(missing_ok=True)  # of a trial that was killed before it was written

    def _notes_path(self, trial_id: str) -> Path | None:
        return None if self._folder is None else self._folder / f"trial_{trial_id}" / "optuna.json"

    def _take_up(self, found: Sequence[tuple[Trial, Mapping[str, Any]]]) -> None:
        super()._take_up(found)
        self._attributes = {}
        for trial_id in self.trials:
            path = self._notes_path(trial_id)
            if path is not None and path.is_file():
                with contextlib.suppress(ValueError):  # damaged: the sampler begins anew
                    self._attributes[trial_id] = json.loads(path.read_text(encoding="utf-8"))


def library() -> Any:
    """Returns the module, or raises an error that names the extra."""
    try:
        return importlib.import_module("optuna")
    except ImportError as error:
        raise InputError(
            "Optuna is not installed, which this search method needs. Install it with: "
            "pip install 'kerasrecipes[optuna]'."
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Optuna from telling of each study, and of what is experimental in it."""
    optuna = library()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _maker(sampler: Any) -> Callable[..., Any]:
    """Returns what makes a sampler from a seed."""
    samplers = library().samplers
    if isinstance(sampler, str):
        known = [name for name in samplers.__all__ if name.endswith("Sampler")]
        if sampler not in known:
            hint = did_you_mean(sampler, known)
            fail("sampler", f"one of {', '.join(known)}, or a function", sampler, hint)
        return getattr(samplers, sampler)
    if not callable(sampler):
        remedy = "A sampler that is made already has a state that a resumed search could not have."
        fail("sampler", "a name, or a function that takes `seed`", sampler, remedy)
    return sampler


def _description(sampler: Any) -> Any:
    """Returns what tells a sampler from others, the same in every process."""
    if isinstance(sampler, functools.partial):
        given = {name: repr(value) for name, value in sampler.keywords.items()}
        return {"name": _description(sampler.func), **given}
    return sampler if isinstance(sampler, str) else sampler.__qualname__


def _label(hp: Any) -> str:
    """Returns a name that no other has, as KerasTuner allows one name under several conditions."""
    return " if ".join([hp.name, *(f"{each.name} in {each.values}" for each in hp.conditions)])


def _has(values: Mapping[str, Any], hp: Any) -> bool:
    return hp.name in values and contains(hp, values[hp.name])


def _steps(hp: Any) -> Sequence[Any] | None:
    """Returns the values of a number, where they are equally spaced on its scale, else None."""
    found = choices(hp)
    is_even = isinstance(hp, Choice) or hp.sampling == "linear" or hp.step is not None
    return found if found is not None and is_even else None


def _distribution(hp: Any) -> Any:
    """Returns what Optuna chooses from, or None if there is nothing to choose."""
    distributions, found = library().distributions, choices(hp)
    if found is not None and len(found) == 1:
        return None
    if not numeric(hp):
        return distributions.CategoricalDistribution(tuple(found or ()))
    steps = _steps(hp)
    if steps is None:
        return distributions.FloatDistribution(0.0, 1.0)
    return distributions.IntDistribution(0, len(steps) - 1)


def _suggested(trial: Any, hp: Any) -> Any:
    """Returns the value that Optuna suggests."""
    found = choices(hp)
    if found is not None and len(found) == 1:
        return found[0]
    if not numeric(hp):
        return trial.suggest_categorical(_label(hp), tuple(found or ()))
    steps = _steps(hp)
    if steps is None:
        return from_unit(hp, trial.suggest_float(_label(hp), 0.0, 1.0))
    return steps[trial.suggest_int(_label(hp), 0, len(steps) - 1)]


def _asked_for(hp: Any, value: Any) -> Any:
    """Returns what Optuna has suggested where a trial has this value."""
    if not numeric(hp):
        return value
    steps = _steps(hp)
    return to_unit(hp, value) if steps is None else steps.index(value)
