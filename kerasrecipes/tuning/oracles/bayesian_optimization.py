"""BayesianOptimization."""

import warnings
from typing import Any

import numpy as np
from keras_tuner.engine.trial import TrialStatus
from keras_tuner.oracles import BayesianOptimizationOracle
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits

from kerasrecipes._checks import check_int, check_number
from kerasrecipes._export import export
from kerasrecipes.tuning.oracles._fresh import random_values
from kerasrecipes.tuning.oracles._safe_oracle import SafeOracle, running
from kerasrecipes.tuning.oracles._sequence import sobol
from kerasrecipes.tuning.oracles._space import (
    Values,
    at,
    complete,
    encode,
    from_unit,
    key,
    numeric,
    to_unit,
)

_CANDIDATES = 512
_NEAR = 128
_REACHES = (0.1, 0.02, 0.004)


@export("oracles", "bayesian", saved=False)
class BayesianOptimization(SafeOracle, BayesianOptimizationOracle):
    """A Gaussian process of the scores proposes where they may be lowest.

    The first `num_initial_points` trials fill the space evenly. Then a process with a Matern 5/2
    kernel and learned noise is fitted to the scores, and the next trial is the one, of candidates
    over the whole space and ever closer to the best, that minimises

        mean - beta * deviation

    Candidates are values that a trial can have, so that what is whole or a category is compared as
    such, and none is one that has been tried. A category's values are equally far from one another.
    Failed trials count as the worst score so far, which keeps the search out of where it fails
    without bending the model by numbers like 1e9; running ones as the mean.

    Takes the arguments of KerasTuner's oracle, and `fingerprint`; `get` describes them.
    KerasTuner's own optimises a relaxed space and rounds the result, so it repeats points.

    Args:
        num_initial_points: Trials before the model, int >= 1, or None for twice the
            hyperparameters, but from 5 to 10. Defaults to None.
        alpha: Variance of the noise at least, of scores that are scaled to variance 1, float > 0.
            Defaults to 1e-4.
        beta: Weight of the unknown, float >= 0. Defaults to 2.6.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> _ = hp.Float("x", 0.0, 1.0)
    >>> oracle = BayesianOptimization("val_loss", max_trials=12, hyperparameters=hp, seed=0)
    >>> for _ in range(12):
    ...     trial = oracle.create_trial("worker")
    ...     loss = (trial.hyperparameters["x"] - 0.3) ** 2
    ...     _ = oracle.update_trial(trial.trial_id, {"val_loss": loss})
    ...     trial.status = "COMPLETED"
    ...     oracle.end_trial(trial)
    >>> [best] = oracle.get_best_trials()
    >>> abs(best.hyperparameters["x"] - 0.3) < 0.02
    True

    Reference: Snoek et al. 2012, arXiv:1206.2944; Srinivas et al. 2010, arXiv:0912.3995.
    """

    def __init__(
        self,
        objective: Any = None,
        *,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
        **kwargs: Any,
    ) -> None:
        if num_initial_points is not None:
            check_int("num_initial_points", num_initial_points, low=1)
        check_number("alpha", alpha, low=0.0, open_low=True)
        check_number("beta", beta, low=0.0)
        own = {"num_initial_points": num_initial_points, "alpha": alpha, "beta": beta}
        self._settings = own
        super().__init__(objective, **own, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, as KerasTuner asks for them."""
        space, number = self.hyperparameters.space, int(trial_id)
        initial = self.num_initial_points or min(max(2 * len(self._tuned()), 5), 10)
        if number < initial or not self._completed():
            points = iter(sobol(len(space), self.seed, first=number, number=64))
            return running(self._fresh(lambda: at(space, self._grouped(next(points)))))
        with threadpool_limits(1, user_api="blas"):  # ten times as fast for matrices this small
            proposals = iter(self._promising())
        return running(self._fresh(lambda: next(proposals)))

    def _promising(self) -> list[Values]:
        """Returns candidates from the most promising on, those near the best one among them."""
        space, model = self.hyperparameters.space, self._fitted()
        best = min(self._completed(), key=self._loss).hyperparameters.values
        candidates = [random_values(space, self._rng) for _ in range(_CANDIDATES)]
        promise = self._promise(model, candidates)
        for reach in _REACHES:
            near = [self._near(best, reach) for _ in range(_NEAR)]
            candidates += near
            promise = np.concatenate([promise, self._promise(model, near)])
            best = candidates[int(np.argmin(promise))]
        return [candidates[i] for i in np.argsort(promise, kind="stable")]

    def _promise(self, model: GaussianProcessRegressor, candidates: list[Values]) -> np.ndarray:
        tried = {key(trial.hyperparameters.values) for trial in self.trials.values()}
        space = self.hyperparameters.space
        places = np.stack([encode(space, values) for values in candidates])
        mean, deviation = model.predict(places, return_std=True)
        known = np.array([key(values) in tried for values in candidates])
        return np.where(known, np.inf, mean - self.beta * deviation)

    def _near(self, values: Values, reach: float) -> Values:
        def pick(hp: Any) -> Any:
            if hp.name not in values or self._rng.random() < 0.1:
                return from_unit(hp, self._rng.random())
            if not numeric(hp):
                return values[hp.name]
            return from_unit(hp, to_unit(hp, values[hp.name]) + reach * self._rng.normal())

        return complete(self.hyperparameters.space, pick)

    def _fitted(self) -> GaussianProcessRegressor:
        losses = [self._loss(trial) for trial in self._completed()]
        scores = {TrialStatus.COMPLETED: None, TrialStatus.FAILED: max(losses)}
        x, y = [], []
        for trial_id in sorted(self.trials):
            trial = self.trials[trial_id]
            loss = scores.get(trial.status, float(np.mean(losses)))
            y.append(self._loss(trial) if loss is None else loss)
            x.append(encode(self.hyperparameters.space, trial.hyperparameters.values))
        self.gpr = self._make_gpr()
        with warnings.catch_warnings():
            # Lengths at the end of their range are no fault: a hyperparameter may not matter.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return self.gpr.fit(np.stack(x), np.array(y))

    def _make_gpr(self) -> GaussianProcessRegressor:
        kernel = ConstantKernel(1.0, (0.1, 100.0)) * Matern(0.5, (0.05, 20.0), nu=2.5)
        return GaussianProcessRegressor(
            kernel + WhiteKernel(1e-3, (self.alpha, 1.0)),
            alpha=1e-8,
            normalize_y=True,
            random_state=self.seed % 2**32,
        )
