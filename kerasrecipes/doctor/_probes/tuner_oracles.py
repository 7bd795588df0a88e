"""T2, T3, T5, T6, T9 and T10: what KerasTuner's searches make of scores and files."""

import contextlib
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import keras_tuner
from keras_tuner import oracles

from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import first_line


class _Scores(keras_tuner.Tuner):
    """Trials that train nothing; each is scored by a function of its hyperparameters."""

    score: Callable[[Any], float] = staticmethod(lambda hp: hp.get("x"))

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns the score under the name of the objective."""
        return {self.oracle.objective.name: self.score(trial.hyperparameters)}


def _space(high: float = 1.0) -> Any:
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.1, high, step=0.1)
    return hp


def _searched(oracle: Any, folder: str, score: Callable[[Any], float] | None = None) -> Any:
    """Returns a tuner after its search in a folder."""
    tuner = _Scores(oracle, directory=folder, project_name="project")
    if score is not None:
        tuner.score = score
    with contextlib.suppress(RuntimeError):  # too many trials failed
        tuner.search(verbose=0)
    return tuner


def _random(objective: Any = "val_loss", trials: int = 3, high: float = 1.0) -> Any:
    return oracles.RandomSearchOracle(
        objective, max_trials=trials, hyperparameters=_space(high), seed=1
    )


def direction(objective: Callable[[str], Any] = lambda name: name) -> Seen:
    """The best of some F1 scores, by the name alone."""
    with tempfile.TemporaryDirectory() as folder:
        tuner = _searched(_random(objective("val_f1_score")), folder)
        best = tuner.get_best_hyperparameters()[0].get("x")
        tried = [trial.hyperparameters.get("x") for trial in tuner.oracle.trials.values()]
    return Seen(
        best < max(tried),
        f"of F1 scores from {min(tried):.1f} to {max(tried):.1f} the best is {best:.1f}",
    )


def stale(oracle: Any = _random) -> Seen:
    """Another objective and another range, in the folder of an earlier search."""
    with tempfile.TemporaryDirectory() as folder:
        _searched(oracle("val_loss", 2), folder)
        try:
            other = oracle(keras_tuner.Objective("val_auc", "max"), 2, 2.0)
            found = len(_Scores(other, directory=folder, project_name="project").oracle.trials)
        except ValueError as error:
            return Seen(False, first_line(error))
    return Seen(
        found > 0, f"a search for another objective begins with {found} trials of the old one"
    )


def waits(oracle: Any = _random) -> Seen:
    """A worker takes the only trial and dies: whether others can have it.

    KerasTuner's chief ends when no trial is open, and nothing closes that of a lost worker.
    """
    with tempfile.TemporaryDirectory() as folder:
        search = oracle("val_loss", 1)
        _Scores(search, directory=folder, project_name="project")
        lost = search.create_trial("lost").trial_id
        if hasattr(search, "requeue"):
            search.requeue("lost")
        other = search.create_trial("other")
    taken = other.trial_id == lost
    return Seen(
        not taken,
        f"the trial of a lost worker: another worker {'gets it' if taken else 'does not get it'}, "
        f"{len(search.ongoing_trials)} open, status {other.status}",
    )


def truncated(oracle: Any = _random) -> Seen:
    """A file of a trial that was cut short."""
    with tempfile.TemporaryDirectory() as folder:
        tuner = _searched(oracle(), folder)
        file = sorted(pathlib.Path(tuner.project_dir).glob("trial_*/trial.json"))[0]
        file.write_text(file.read_text()[:50])
        try:
            _Scores(oracle(), directory=folder, project_name="project")
        except Exception as error:
            return Seen(True, f"a truncated trial.json: {first_line(error)}")
    return Seen(False, "a truncated trial.json: the project opens")


def _raise(hp: Any) -> float:
    raise ValueError("on purpose")


def all_failed(oracle: Any = _random) -> Seen:
    """A search whose trials all fail."""
    with tempfile.TemporaryDirectory() as folder:
        tuner = _searched(oracle("val_loss", 2), folder, _raise)
        try:
            best = tuner.get_best_hyperparameters()[0].values
        except Exception as error:
            return Seen(False, f"2 of 2 trials failed: {first_line(error)}")
    return Seen(True, f"2 of 2 trials failed; the best is said to be {best}")


def infinite(oracle: Any = _random) -> Seen:
    """A loss of minus infinity."""
    with tempfile.TemporaryDirectory() as folder:
        scores = iter([0.5, float("-inf"), 0.7])
        tuner = _searched(oracle(), folder, lambda hp: next(scores))
        best = tuner.oracle.get_best_trials(1)[0].score
    return Seen(best != 0.5, f"of the losses 0.5, -inf and 0.7 the best is {best}")


def _bayesian(space: Any) -> Any:
    return oracles.BayesianOptimizationOracle(
        "val_loss", 6, num_initial_points=2, hyperparameters=space, seed=1
    )


def repeats(oracle: Callable[[Any], Any] = _bayesian) -> Seen:
    """As many trials as the space has points."""
    space = keras_tuner.HyperParameters()
    space.Choice("units", [16, 32, 64])
    space.Choice("layers", [1, 2])
    with tempfile.TemporaryDirectory() as folder:
        tuner = _searched(oracle(space), folder, lambda hp: abs(hp.get("units") - hp.get("layers")))
        tried = [tuple(t.hyperparameters.values.values()) for t in tuner.oracle.trials.values()]
    return Seen(
        len(set(tried)) < len(tried),
        f"Bayesian search of 6 points: {len(tried)} trials, {len(set(tried))} different ones",
    )
