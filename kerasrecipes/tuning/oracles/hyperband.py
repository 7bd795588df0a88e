"""Hyperband."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.oracles import HyperbandOracle

from kerasrecipes._checks import check_int
from kerasrecipes._export import export
from kerasrecipes.tuning.oracles._safe_oracle import SafeOracle, running
from kerasrecipes.tuning.oracles._space import Values


@export("oracles", saved=False)
class Hyperband(SafeOracle, HyperbandOracle):
    """Many short trials, of which the best go on: successive halving, at several rates.

    A bracket begins with random values, trained for a few epochs; the best 1 / `factor` of them
    train on to `factor` times as many, and so on up to `max_epochs`. Brackets differ in how many
    trials they begin with and how early they cut. With s from floor(log(max_epochs) / log(factor))
    down to 0, round i of bracket s trains ceil(max_epochs / factor^(s - i)) epochs in all.

    A trial is promoted as soon as it is certain to be among the best of its round, as in
    KerasTuner. Failed trials count as the worst of theirs; a round in which too few succeed is
    smaller, so that no round waits for them. With `max_trials`, brackets that would not fit into
    what is left are passed over, and a rest too small for any is spent on full-length trials.

    The values of a trial tell its training: "tuner/epochs" in all, "tuner/initial_epoch" that
    have been trained before, "tuner/trial_id" of the trial that it goes on with (promoted ones
    only), "tuner/iteration", "tuner/bracket" and "tuner/round".

    Takes the arguments of KerasTuner's oracle, and `max_trials` and `fingerprint`; `get` describes
    them.

    Args:
        max_epochs: Epochs of the longest trials, int >= 1. Defaults to 100.
        factor: Of so many trials one is promoted, int >= 2. Defaults to 3.
        hyperband_iterations: How often all brackets are run, int >= 1, or None for as often as
            `max_trials` allows. Defaults to 1.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> _ = hp.Float("x", 0.0, 1.0)
    >>> oracle = Hyperband("val_loss", max_epochs=9, hyperparameters=hp, seed=0)
    >>> epochs = []
    >>> while (trial := oracle.create_trial("worker")).status == "RUNNING":
    ...     values = trial.hyperparameters.values
    ...     epochs.append(values["tuner/epochs"])
    ...     _ = oracle.update_trial(trial.trial_id, {"val_loss": values["x"]})
    ...     trial.status = "COMPLETED"
    ...     oracle.end_trial(trial)
    >>> epochs
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 9, 3, 3, 3, 3, 3, 9, 9, 9, 9, 9]

    Reference: Li et al. 2018, JMLR 18:1-52, arXiv:1603.06560.
    """

    def __init__(
        self,
        objective: Any = None,
        *,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int | None = 1,
        **kwargs: Any,
    ) -> None:
        check_int("max_epochs", max_epochs, low=1)
        check_int("factor", factor, low=2)
        if hyperband_iterations is not None:
            check_int("hyperband_iterations", hyperband_iterations, low=1)
        own = {"max_epochs": max_epochs, "factor": factor}
        self._settings = own
        super().__init__(objective, hyperband_iterations=hyperband_iterations, **own, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, as KerasTuner asks for them."""
        for iteration, bracket, size in self._planned():
            rounds = self._rounds(iteration, bracket)
            marks = {"tuner/iteration": iteration, "tuner/bracket": bracket}
            exhausted = False
            if len(rounds[0]) < size:
                values = self._random_values()
                if values is not None:
                    return running({**values, **self._marks(bracket, 0), **marks})
                exhausted, size = True, len(rounds[0])
            parent = self._promoted(bracket, rounds, size)
            if parent is not None:
                return running({**self._continued(parent), **marks})
            if exhausted:
                break
        status = TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED
        return {"status": status, "values": None}

    def _planned(self) -> Iterator[tuple[int, int, int]]:
        """Yields iteration, bracket, and how many trials its first round has."""
        left = math.inf if self.max_trials is None else self.max_trials
        for iteration in itertools.count():
            if iteration >= self.hyperband_iterations:
                return
            before = left
            for bracket in reversed(range(self._get_num_brackets())):
                rounds = range(self._get_num_rounds(bracket))
                sizes = [self._get_size(bracket, number) for number in rounds]
                if sum(sizes) <= left:
                    left -= sum(sizes)
                    yield iteration, bracket, sizes[0]
            if left == before != math.inf:
                if left:
                    yield iteration, 0, int(left)
                return

    def _rounds(self, iteration: int, bracket: int) -> list[list[Trial]]:
        rounds: list[list[Trial]] = [[] for _ in range(self._get_num_rounds(bracket))]
        for trial_id in sorted(self.trials):
            values = self.trials[trial_id].hyperparameters.values
            if (values["tuner/iteration"], values["tuner/bracket"]) == (iteration, bracket):
                rounds[values["tuner/round"]].append(self.trials[trial_id])
        return rounds

    def _promoted(self, bracket: int, rounds: Sequence[list[Trial]], past_size: int) -> Any:
        """Returns a trial that is certain to be promoted and has not been, or None.

        With k trials of a round to be dropped, the best of k + 1 ended ones cannot be among them.
        """
        for number, (past, now) in enumerate(itertools.pairwise(rounds), 1):
            size = min(self._get_size(bracket, number), math.ceil(past_size / self.factor))
            taken = {trial.hyperparameters.values["tuner/trial_id"] for trial in now}
            others = [trial for trial in past if trial.trial_id not in taken]
            good = [trial for trial in others if trial.status == TrialStatus.COMPLETED]
            failed = [trial for trial in others if trial.status == TrialStatus.FAILED]
            enough = len(good) + len(failed) > past_size - size
            if good and enough and len(now) < size:
                return min(good, key=self._loss)
            to_come = past_size - len(past) + len(others) - len(failed)
            past_size = min(size, len(now) + to_come)
        return None

    def _continued(self, parent: Trial) -> Values:
        values = parent.hyperparameters.values
        bracket, number = values["tuner/bracket"], values["tuner/round"] + 1
        return {**values, **self._marks(bracket, number), "tuner/trial_id": parent.trial_id}

    def _marks(self, bracket: int, number: int) -> Values:
        return {
            "tuner/epochs": self._get_epochs(bracket, number),
            "tuner/initial_epoch": self._get_epochs(bracket, number - 1) if number else 0,
            "tuner/round": number,
        }
