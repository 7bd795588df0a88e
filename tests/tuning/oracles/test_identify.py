"""`oracles.get`."""

import keras_tuner
import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning import oracles
from tests.tuning.oracles.searching import network

CLASSES = {
    "random": oracles.RandomSearch,
    "grid": oracles.GridSearch,
    "quasi_random": oracles.QuasiRandom,
    "bayesian": oracles.BayesianOptimization,
    "hyperband": oracles.Hyperband,
    "evolution": oracles.Evolution,
    "zoom": oracles.Zoom,
}


@pytest.mark.parametrize("method", CLASSES)
def test_methods(method):
    objective = keras_tuner.Objective("val_loss", "min")
    oracle = oracles.get(
        method, objective=objective, hyperparameters=network(), trials=7, seed=0, epochs=9
    )
    assert type(oracle) is CLASSES[method]
    assert isinstance(oracle, keras_tuner.Oracle)
    assert (oracle.max_trials, oracle.seed, oracle.objective) == (7, 0, objective)
    assert not oracle.allow_new_entries
    assert not oracle.tune_new_entries


def test_options():
    oracle = oracles.get("grid", objective="val_loss", hyperparameters=network(), points=3)
    assert oracle.points == 3
    hyperband = oracles.get("hyperband", objective="val_loss", hyperparameters=network(), epochs=20)
    assert (hyperband.max_epochs, hyperband.hyperband_iterations) == (20, 1)


def test_an_oracle_of_ones_own():
    own = oracles.RandomSearch("val_loss", max_trials=3, hyperparameters=network(), seed=0)
    same = {"objective": "val_loss", "hyperparameters": network(), "fingerprint": {"data": "1f"}}
    assert oracles.get(own, **same) is own
    assert own.fingerprint["data"] == "1f"
    for given, message in [
        ({"objective": "val_auc"}, "`method` must be an oracle for the objective .*val_auc"),
        ({"hyperparameters": keras_tuner.HyperParameters()}, "for the space that is searched"),
        ({"trials": 3}, "`trials` must be left out"),
        ({"points": 3}, "`points` must be left out"),
    ]:
        with pytest.raises(InputError, match=message):
            oracles.get(own, **{**same, **given})
    for other in (keras_tuner.oracles.RandomSearchOracle("val_loss"), 3):
        with pytest.raises(InputError, match="or an oracle of kerasrecipes.tuning.oracles"):
            oracles.get(other, **same)


def test_errors():
    with pytest.raises(InputError, match="`method` must be one of 'random', .* mean 'bayesian'"):
        oracles.get("bayes", objective="val_loss", hyperparameters=network())
    with pytest.raises(InputError, match="`options.point` must be one of .* mean 'points'"):
        oracles.get("grid", objective="val_loss", hyperparameters=network(), point=3)
    with pytest.raises(InputError, match="`epochs` must be an integer >= 1"):
        oracles.get("hyperband", objective="val_loss", hyperparameters=network(), epochs=0)
