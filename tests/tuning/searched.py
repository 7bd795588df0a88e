"""A small problem for the tests of the search."""

import numpy as np

import kerasrecipes as kr
from kerasrecipes.tuning.search import search

RNG = np.random.default_rng(0)
X = RNG.normal(size=(160, 5)).astype("float32")
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype("int64")
SPACE = {
    "layers": 1,
    "units": [4, 8],
    "activation": "relu",
    "normalization": {"fix": "none"},
    "optimizer": "adamw",
    "schedule": {"fix": "none"},
    "clip_norm": 1.0,
    "l2": 0.0,
    "weight_decay": 0.01,
    "batch_size": 32,
    "label_smoothing": 0.0,
}


def run(folder, **arguments):
    """Searches with small defaults."""
    given = {"trials": 4, "epochs": 3, "space": SPACE, "quiet": True, "refit": False, "seed": 0}
    given |= arguments
    return search("mlp", (5,), kr.targets.Binary(), (X, Y), directory=folder, **given)


def facts(result):
    """Returns what does not depend on time."""
    return [
        (r.number, dict(r.values), r.status, r.epochs, [list(map(float, c)) for c in r.curves])
        for r in result.records
    ]
