"""QuasiRandom."""

from typing import Any

import keras_tuner

from kerasrecipes._export import export
from kerasrecipes.tuning.oracles._safe_oracle import SafeOracle, running
from kerasrecipes.tuning.oracles._sequence import sobol
from kerasrecipes.tuning.oracles._space import Values, at


@export("oracles", saved=False)
class QuasiRandom(SafeOracle, keras_tuner.Oracle):
    """Values that fill the space more evenly than random ones: a scrambled Sobol sequence.

    Each hyperparameter has an axis of the unit cube, used when its conditions hold. A number is at
    its place on its scale (linear, log); the values of a category share its axis equally. Trial
    number k takes point k, scrambled by the seed, or the next that has not been tried. With n
    points the discrepancy falls as log(n)^d / n rather than 1 / sqrt(n). Powers of two are the
    best numbers of trials.

    Takes the arguments of KerasTuner's oracle, and `fingerprint`; `get` describes them.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> _ = hp.Float("dropout", 0.0, 0.8)
    >>> oracle = QuasiRandom("val_loss", hyperparameters=hp, seed=0)
    >>> trials = [oracle.create_trial(f"worker {i}") for i in range(8)]
    >>> sorted(int(10 * trial.hyperparameters["dropout"]) for trial in trials)
    [0, 1, 2, 3, 4, 5, 6, 7]

    Reference: Sobol 1967, doi:10.1016/0041-5553(67)90144-9; Owen 1998, doi:10.1145/292395.292396.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, as KerasTuner asks for them."""
        return running(self._point(int(trial_id)))

    def _point(self, number: int) -> Values | None:
        space = self.hyperparameters.space
        points = iter(sobol(len(space), self.seed, first=number, number=64))
        return self._fresh(lambda: at(space, self._grouped(next(points))))
