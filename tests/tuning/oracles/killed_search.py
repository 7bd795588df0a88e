"""A search that is killed from outside: `python killed_search.py FOLDER`."""

import sys

from kerasrecipes.tuning import oracles
from tests.tuning.oracles.searching import loss, network


def make():
    return oracles.get(
        "evolution", objective="val_loss", hyperparameters=network(), trials=400, seed=0
    )


if __name__ == "__main__":
    oracle = make()
    print(oracle.open_project(sys.argv[1]), flush=True)
    while (trial := oracle.create_trial("worker")).status == "RUNNING":
        oracle.update_trial(trial.trial_id, {"val_loss": loss(trial.hyperparameters)})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
