"""Searches with a closed-form objective, for the tests of the oracles."""

import keras_tuner
import numpy as np

BEST = {"learning_rate": 3e-3, "activation": "relu", "units": 64}
PENALTY = {"relu": 0.0, "selu": 0.3, "tanh": 0.6}


def small():
    """Two categories and a condition: 2 + 3 = 5 combinations."""
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["plain", "deep"])
    with hp.conditional_scope("kind", ["deep"]):
        hp.Int("layers", 2, 4)
    with hp.conditional_scope("kind", ["plain"]):
        hp.Boolean("bias")
    return hp


def network():
    """What a search of networks looks like; `loss` has its minimum 0 at BEST."""
    hp = keras_tuner.HyperParameters()
    hp.Float("learning_rate", 1e-5, 1.0, sampling="log")
    hp.Choice("activation", list(PENALTY))
    hp.Int("units", 16, 256, sampling="log")
    hp.Fixed("optimizer", "adam")
    return hp


def loss(values):
    rate = np.log10(values["learning_rate"] / BEST["learning_rate"])
    units = np.log2(values["units"] / BEST["units"])
    return rate**2 + PENALTY[values["activation"]] + 0.05 * units**2


def run(oracle, score=loss, *, most=1000):
    """Runs the search, one trial at a time, and returns the values in order."""
    tried = []
    for _ in range(most):
        trial = oracle.create_trial("worker")
        if trial.status != "RUNNING":
            assert trial.status == "STOPPED"
            break
        tried.append(dict(trial.hyperparameters.values))
        end(oracle, trial, score(trial.hyperparameters.values))
    return tried


def end(oracle, trial, score, *, status="COMPLETED", message=None):
    if status == "COMPLETED":
        oracle.update_trial(trial.trial_id, {oracle.objective.name: score})
    trial.status, trial.message = status, message
    oracle.end_trial(trial)
