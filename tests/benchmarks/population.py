"""Trials per second: trials that share a graph, and KerasTuner's one after the other."""

import tempfile
import time

import keras
import keras_tuner
import numpy as np
from sklearn.datasets import load_digits
from tables import machine, spread, table

import kerasrecipes as kr

EPOCHS, BATCH, ROUNDS = 10, 32, 3
SIZES = {"64-32-10": [32], "64-50-50-10": [50, 50], "64-100-100-10": [100, 100]}
X, Y = load_digits(return_X_y=True)
X = ((X - X.mean(axis=0)) / (X.std(axis=0) + 1e-6)).astype("float32")
ROWS, HELD_OUT = (X[:1000], Y[:1000]), (X[1000:1400], Y[1000:1400])


def theirs(hidden, trials, seed):
    """Returns the trials per second of KerasTuner's random search."""

    def build(hp):
        layers = [keras.Input((64,))]
        for units in hidden:
            layers += [
                keras.layers.Dense(units, use_bias=False),
                keras.layers.BatchNormalization(),
                keras.layers.Activation("relu"),
                keras.layers.Dropout(hp.Float("dropout", 0.1, 0.5)),
            ]
        model = keras.Sequential([*layers, keras.layers.Dense(10, "softmax")])
        rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
        optimizer = keras.optimizers.AdamW(rate, weight_decay=0.01, global_clipnorm=1.0)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    tuner = keras_tuner.RandomSearch(
        build,
        keras_tuner.Objective("val_loss", "min"),
        max_trials=trials,
        seed=seed,
        directory=tempfile.mkdtemp(),
    )
    began = time.perf_counter()
    tuner.search(*ROWS, validation_data=HELD_OUT, epochs=EPOCHS, batch_size=BATCH, verbose=0)
    return trials / (time.perf_counter() - began)


def ours(hidden, trials, seed):
    """Returns the trials per second of our random search."""
    space = kr.tuning.SearchSpace(
        kr.recipes.mlp,
        {
            "hidden": hidden,
            "dropout": kr.tuning.Float(0.1, 0.5),
            "learning_rate": kr.tuning.Float(1e-4, 1e-2, log=True),
            "batch_size": BATCH,
        },
    )
    began = time.perf_counter()
    kr.tuning.search(
        "mlp",
        (64,),
        kr.targets.Multiclass(10),
        ROWS,
        space=space,
        validation=HELD_OUT,
        trials=trials,
        epochs=EPOCHS,
        patience=EPOCHS,
        preprocessing=None,
        refit=False,
        directory=tempfile.mkdtemp(),
        seed=seed,
        quiet=True,
    )
    return trials / (time.perf_counter() - began)


def main():
    """Prints the table."""
    print(f"{machine()}; digits, 1,000 rows, {EPOCHS} epochs at batch {BATCH}, median (least to ")
    print(f"most) of {ROUNDS} alternating searches; 64 trials of ours, 4 of KerasTuner's\n")
    rows = []
    for name, hidden in SIZES.items():
        found = {"theirs": [], "ours": []}
        for seed in range(ROUNDS):
            found["theirs"].append(theirs(hidden, 4, seed + 1))
            found["ours"].append(ours(hidden, 64, seed))
        ratio = np.divide(found["ours"], found["theirs"])
        rows.append([name, spread(found["theirs"], 2), spread(found["ours"], 2), spread(ratio, 1)])
    print(table(["network", "KerasTuner, trials/s", "ours, trials/s", "ratio"], rows))


if __name__ == "__main__":
    main()
