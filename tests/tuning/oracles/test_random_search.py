"""RandomSearch."""

import numpy as np
import pytest

from kerasrecipes.tuning.oracles import RandomSearch
from tests.tuning.oracles.searching import network, run, small


def test_exhausts_a_finite_space_once():
    oracle = RandomSearch("val_loss", hyperparameters=small(), seed=0)
    tried = run(oracle, lambda values: 0.0)
    assert {tuple(sorted(values.items())) for values in tried} == {
        (("bias", False), ("kind", "plain")),
        (("bias", True), ("kind", "plain")),
        *((("kind", "deep"), ("layers", n)) for n in (2, 3, 4)),
    }
    assert len(tried) == 5
    assert oracle.stop_reason == "all that the search could try has been tried"


def test_values_are_uniform_on_their_scale():
    tried = run(RandomSearch("val_loss", max_trials=400, hyperparameters=network(), seed=1))
    decade = np.floor([np.log10(values["learning_rate"]) for values in tried])
    assert sorted(set(decade)) == [-5, -4, -3, -2, -1]
    assert np.unique(decade, return_counts=True)[1] == pytest.approx([80] * 5, abs=30)
    doubled = np.log2([values["units"] for values in tried])
    assert np.mean(doubled) == pytest.approx(6.0, abs=0.2)
    assert all(16 <= values["units"] <= 256 for values in tried)
    assert {values["optimizer"] for values in tried} == {"adam"}


def test_seeds():
    searches = [
        run(RandomSearch("val_loss", max_trials=3, hyperparameters=network(), seed=seed))
        for seed in (0, 0, 1)
    ]
    assert searches[0] == searches[1] != searches[2]
