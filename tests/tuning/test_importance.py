import itertools
import math
import types

import keras_tuner
import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from kerasrecipes.tuning._importance import importance, shapley_effects
from kerasrecipes.tuning.trial_record import TrialRecord


def record(number, values, score):
    return TrialRecord(number, str(number), values, {}, {}, "completed", (score,), score, (1,), 1.0)


def trials(hyperparameters, function, count, seed=0):
    """Trials at random points of a space; inactive hyperparameters have no value."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(1, count + 1):
        values = {}
        for each in hyperparameters.space:
            if all(condition.is_active(values) for condition in each.conditions):
                values[each.name] = each.prob_to_value(rng.uniform())
        found.append(record(number, values, float(function(values))))
    return found


def test_the_shapley_values_are_those_of_their_definition():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(40, 3))
    y = 3 * x[:, 0] * x[:, 1] + x[:, 1] ** 2 + 0.2 * x[:, 2]
    forest = RandomForestRegressor(3, max_leaf_nodes=6, random_state=0).fit(x, y)
    # Independent route: the forest is constant on the cells between all thresholds, so means and
    # variances over the cells are exact; then the definition of the Shapley value.
    edges = []
    for column in range(3):
        cuts = [t.tree_.threshold[t.tree_.feature == column] for t in forest.estimators_]
        edges.append(np.unique(np.concatenate([[0.0, 1.0], *cuts])))
    centres = [(e[1:] + e[:-1]) / 2 for e in edges]
    weights = [np.diff(e) for e in edges]
    grid = np.stack(np.meshgrid(*centres, indexing="ij"), axis=-1)
    f = forest.predict(grid.reshape(-1, 3)).reshape(grid.shape[:-1])

    def variance(given):
        mean = f
        for axis in (2, 1, 0):
            if axis not in given:
                mean = np.average(mean, axis=axis, weights=weights[axis], keepdims=True)
        measure = np.ones((1, 1, 1))
        for axis in given:
            shape = [1, 1, 1]
            shape[axis] = -1
            measure = measure * weights[axis].reshape(shape)
        centre = np.sum(mean * measure)
        return np.sum(measure * (mean - centre) ** 2)

    expected = np.zeros(3)
    for column in range(3):
        others = [each for each in range(3) if each != column]
        for size in range(3):
            for given in itertools.combinations(others, size):
                weight = math.factorial(size) * math.factorial(2 - size) / math.factorial(3)
                expected[column] += weight * (variance((*given, column)) - variance(given))
    np.testing.assert_allclose(shapley_effects(forest), expected, rtol=1e-5)


def test_the_shares_are_those_of_a_known_function():
    # Variances of a uniform variable scale with the squares of the factors: 16 : 4 : 0 of 20,
    # where the first counts on its logarithmic scale.
    hp = keras_tuner.HyperParameters()
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    hp.Float("dropout", 0.0, 0.5)
    hp.Int("width", 1, 8)
    found = importance(
        trials(hp, lambda v: math.log10(v["rate"]) + 4 * v["dropout"], 300), hp.space, 1
    )
    assert list(found.shares) == ["rate", "dropout", "width"]
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert found.shares["rate"] == pytest.approx(0.8, abs=0.05)
    assert found.shares["dropout"] == pytest.approx(0.2, abs=0.05)
    assert found.shares["width"] < 0.01
    assert found.explained > 0.9


def test_a_choice_has_its_share():
    # Values 0, 3, 6 have variance 6; a uniform of length sqrt(24) has 2.
    hp = keras_tuner.HyperParameters()
    hp.Choice("activation", ["a", "b", "c"])
    hp.Float("x", 0.0, 1.0)
    effect = {"a": 3.0, "b": 0.0, "c": 6.0}
    found = importance(
        trials(hp, lambda v: effect[v["activation"]] + math.sqrt(24) * v["x"], 300), hp.space, -1
    )
    assert found.shares["activation"] == pytest.approx(0.75, abs=0.05)


def test_an_inactive_hyperparameter_takes_nothing_of_its_parent():
    # Only the choice matters; the conditional rate is absent in half of the trials.
    hp = keras_tuner.HyperParameters()
    hp.Choice("optimizer", ["adamw", "sgd"])
    with hp.conditional_scope("optimizer", ["sgd"]):
        hp.Float("momentum", 0.5, 0.99)
    found = importance(trials(hp, lambda v: v["optimizer"] == "sgd", 60), hp.space, 1)
    assert found.shares["optimizer"] > 0.98


def test_the_kind_of_a_range_counts_with_the_range():
    hp = keras_tuner.HyperParameters()
    hp.Choice("l2/kind", ["range", "0"])
    with hp.conditional_scope("l2/kind", ["range"]):
        hp.Float("l2", 1e-6, 1e-2, sampling="log")
    hp.Float("x", 0.0, 1.0)
    found = importance(trials(hp, lambda v: v["l2/kind"] == "0", 40), hp.space, 1)
    assert set(found.shares) == {"l2", "x"}
    assert found.shares["l2"] > 0.95


def test_one_diverged_trial_is_not_all_that_counts():
    hp = keras_tuner.HyperParameters()
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    hp.Float("dropout", 0.0, 0.5)
    found = trials(hp, lambda v: math.log10(v["rate"]), 60)
    found[0] = record(1, found[0].values, 1e9)
    assert importance(found, hp.space, -1).shares["rate"] > 0.9


@pytest.mark.parametrize(
    ("count", "function", "reason"),
    [
        (9, lambda v: v["x"], "9 trials are completed, and at least 10 are needed"),
        (20, lambda v: 0.5, "all trials have the same score"),
        (20, lambda v: (v["x"] * 1e6) % 1, "no hyperparameter tells good trials from bad ones"),
    ],
)
def test_no_shares_without_a_basis(count, function, reason):
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    found = importance(trials(hp, function, count), hp.space, 1)
    assert (found.shares, found.reason) == ({}, reason)


def test_a_space_of_one_point_has_no_shares():
    space = types.SimpleNamespace(space=[])
    assert "no hyperparameter that varies" in importance([], space.space, 1).reason
