"""How much of the scores' variance each hyperparameter is the cause of."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from kerasrecipes.tuning._axes import positions, varying
from kerasrecipes.tuning.parameters import KIND
from kerasrecipes.tuning.trial_record import TrialRecord

MIN_TRIALS = 10
_TREES = 32
_LEAVES = 64


class Importance(NamedTuple):
    """Shares of the variance, and how far to trust them.

    Attributes:
        shares: Share of each hyperparameter, largest first; their sum is 1. Empty if unknown.
        explained: R² of the forest on trials that its trees have not seen, or None.
        reason: Why there are no shares, or "".
    """

    shares: dict[str, float]
    explained: float | None = None
    reason: str = ""


def importance(records: Sequence[TrialRecord], declared: Sequence[Any], sign: int) -> Importance:
    """Returns what a random forest that is fitted to the scores says of their causes.

    The forest f stands for the score over the whole space, so that the trials may lie in it
    unevenly. With uniform independent hyperparameters, V(U) is the variance of the mean of f
    given those in U, and the share of one is its Shapley value in the game V: its main effect,
    plus an equal part of each interaction that it has. Hutter et al. (2014) take main effects
    only, which do not sum to 1.

    A conditional hyperparameter has no effect where it is inactive: there it is drawn at
    random. One diverged trial shall not be all that is explained: what is worse than three
    interquartile ranges beyond the worse quartile counts as that.

    Of a hyperparameter that had one value in all trials nothing is known, and it has no share.

    Args:
        records: Completed trials.
        declared: KerasTuner's hyperparameters.
        sign: 1 if higher scores are better, -1 if lower ones.

    Reference: Hutter, Hoos & Leyton-Brown 2014 (ICML); Owen 2014, SIAM/ASA J. Uncertainty
        Quantification 2(1), Shapley values of variances.
    """
    values = [record.values for record in records]
    names = [name for name in varying(declared) if len({repr(v.get(name)) for v in values}) > 1]
    if not varying(declared):
        return Importance({}, reason="the space has no hyperparameter that varies")
    if len(records) < MIN_TRIALS:
        count = f"{len(records)} trials are completed"
        return Importance({}, reason=f"{count}, and at least {MIN_TRIALS} are needed")
    scores = _tame(np.array([record.score for record in records], "float64"), sign)
    if np.ptp(scores) == 0:
        return Importance({}, reason="all trials have the same score")
    places = positions(declared, names, values)
    drawn = np.random.default_rng(0).uniform(size=places.shape)
    forest = RandomForestRegressor(
        _TREES, min_samples_leaf=2, max_leaf_nodes=_LEAVES, oob_score=True, random_state=0
    ).fit(np.where(np.isnan(places), drawn, places), scores)
    effects = shapley_effects(forest)
    explained = float(forest.oob_score_)
    if explained <= 0 or not effects.sum() > 0:
        # Of a forest that predicts no better than the mean, the shares are those of noise.
        return Importance({}, reason="no hyperparameter tells good trials from bad ones")
    shares: dict[str, float] = {}
    for name, share in zip(names, (effects / effects.sum()).tolist(), strict=True):
        base = name.removesuffix(KIND)
        shares[base] = shares.get(base, 0.0) + share
    ordered = dict(sorted(shares.items(), key=lambda item: -item[1]))
    return Importance(ordered, explained=explained)


def shapley_effects(forest: RandomForestRegressor) -> np.ndarray:
    """Returns the Shapley value of each input in the variance of the forest, exactly.

    Each leaf is a box, so V(U) is a sum over pairs of leaves of c * prod over U of r, where c is
    the product of their values and volumes, and r the overlap of their sides over the product
    of their lengths. The Shapley value of such a product is, by its multilinear extension (Owen
    1972), the integral over t in [0, 1] of (r_j - 1) * prod over k != j of 1 + t (r_k - 1):
    a polynomial, for which Gauss-Legendre nodes are exact.
    """
    columns = forest.n_features_in_
    trees = [_boxes(each.tree_, columns) for each in forest.estimators_]
    low, high, value = (np.concatenate(parts) for parts in zip(*trees, strict=True))
    nodes, weights = np.polynomial.legendre.leggauss(math.ceil(columns / 2))
    effects = np.zeros(columns)
    for rows in np.array_split(np.arange(len(value)), len(trees)):
        overlap = np.minimum(high[rows, None], high) - np.maximum(low[rows, None], low)
        lengths = (high - low)[rows, None] * (high - low)
        excess = np.maximum(overlap, 0.0) / lengths - 1.0
        mass = np.outer(value[rows], value) * lengths.prod(axis=-1)
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            terms = 1.0 + node * excess
            common = weight * mass * terms.prod(axis=-1)
            effects += np.einsum("lm,lmk->k", common, excess / terms)
    return np.maximum(effects, 0.0) / len(trees) ** 2


def _boxes(tree: Any, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the leaves of a tree: lower and upper corners, and values less their mean."""
    low, high = np.zeros((tree.node_count, columns)), np.ones((tree.node_count, columns))
    inner = tree.children_left >= 0
    for node in np.flatnonzero(inner):  # a node comes before its children
        left, right = tree.children_left[node], tree.children_right[node]
        low[left] = low[right] = low[node]
        high[left] = high[right] = high[node]
        high[left, tree.feature[node]] = tree.threshold[node]
        low[right, tree.feature[node]] = tree.threshold[node]
    low, high, value = low[~inner], high[~inner], tree.value[~inner, 0, 0]
    return low, high, value - (high - low).prod(axis=1) @ value


def _tame(scores: np.ndarray, sign: int) -> np.ndarray:
    lower, upper = np.quantile(sign * scores, [0.25, 0.75])
    return np.maximum(sign * scores, lower - 3.0 * (upper - lower))
