"""QuasiRandom."""

import keras_tuner
import numpy as np
from scipy.stats import qmc

from kerasrecipes.tuning.oracles import QuasiRandom, RandomSearch
from tests.tuning.oracles.searching import network, run, small


def square():
    hp = keras_tuner.HyperParameters()
    hp.Float("a", 0.0, 1.0)
    hp.Float("b", 1e-4, 1.0, sampling="log")
    return hp


def discrepancy(oracle):
    tried = run(oracle, lambda values: 0.0)
    points = [[v["a"], 1 + np.log10(v["b"]) / 4] for v in tried]
    return qmc.discrepancy(np.clip(points, 0, 1))


def test_fills_the_space_more_evenly_than_random():
    for seed in range(5):
        quasi, random = (
            discrepancy(cls("val_loss", max_trials=32, hyperparameters=square(), seed=seed))
            for cls in (QuasiRandom, RandomSearch)
        )
        assert quasi < random / 3


def test_every_category_gets_its_share():
    tried = run(QuasiRandom("val_loss", max_trials=24, hyperparameters=network(), seed=3))
    names, counts = np.unique([values["activation"] for values in tried], return_counts=True)
    assert list(names) == ["relu", "selu", "tanh"]
    assert counts.min() >= 7


def test_conditions_and_exhaustion():
    tried = run(QuasiRandom("val_loss", hyperparameters=small(), seed=0), lambda values: 0.0)
    assert len({tuple(values.items()) for values in tried}) == len(tried) == 5
    assert all(("layers" in values) == (values["kind"] == "deep") for values in tried)


def test_seeds():
    searches = [
        run(QuasiRandom("val_loss", max_trials=4, hyperparameters=network(), seed=seed))
        for seed in (0, 0, 1)
    ]
    assert searches[0] == searches[1] != searches[2]
