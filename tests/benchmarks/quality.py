"""Test scores of every shipped recipe over five seeds, beside a plain Keras network.

Both train on the same rows of the same splits (the seed draws the split as well). The plain
network is Keras's guide model: two layers of 128, ReLU, Adam, batch 32, at most 50 epochs, early
stopping on the validation loss with patience 5, inputs and regression labels standardised.
"""

import sys
import tempfile
import time

import keras
import numpy as np
from rich.progress import track
from tables import machine, table

from kerasrecipes import _recipe_files, runs, targets
from kerasrecipes.runs.load import inspect
from kerasrecipes.runs.prepare import read_rows

SEEDS = range(5)


def score(rows, outputs):
    """Returns accuracy and log loss, or RMSE and squared error over variance, on the test rows."""
    y = rows.parts["test"].y
    if isinstance(rows.target, targets.Regression):
        error = outputs[:, 0] - y
        return float(np.sqrt((error**2).mean())), float((error**2).mean() / y.var())
    if outputs.shape[1] == 1:
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    likelihood = np.maximum(outputs[np.arange(len(y)), y], 1e-7)
    return float((outputs.argmax(1) == y).mean()), float(-np.log(likelihood).mean())


def ours(name, seed, rows, out):
    """Trains the recipe; returns its outputs for the test rows."""
    run = runs.train(name, seed=seed, out=out, quiet=True)
    model = keras.saving.load_model(run.folder / "model.keras")
    return model.predict(rows.parts["test"].x, verbose=0)


def plain(name, seed, rows, out):
    """Trains the plain network on the same rows; returns the same."""
    (x, y), (xv, yv), (xt, _) = (rows.parts[part] for part in ("train", "validation", "test"))
    mean, deviation = x.mean(0), np.where(x.std(0) > 0, x.std(0), 1)
    x, xv, xt = ((each - mean) / deviation for each in (x, xv, xt))
    regression = isinstance(rows.target, targets.Regression)
    return guide((x, y), (xv, yv), xt, 0 if regression else max(rows.target.units, 2), seed)


def guide(train, validation, x_test, classes, seed):
    """Trains Keras's guide model on standardised rows; returns its outputs for others.

    Without classes it is trained on standardised labels, and its outputs are in their units.
    """
    keras.utils.set_random_seed(seed)
    (x, y), (xv, yv) = train, validation
    center, scale = (0, 1) if classes else (y.mean(), y.std())
    model = keras.Sequential(
        [
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(classes or 1, activation="softmax" if classes else None),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy" if classes else "mse")
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    validation = (xv, (yv - center) / scale)
    model.fit(
        x, (y - center) / scale, 32, 50, verbose=0, callbacks=[stop], validation_data=validation
    )
    return model.predict(x_test, verbose=0) * scale + center


def main():
    """Prints the table, for the recipes named on the command line or all."""
    names = sys.argv[1:] or sorted(_recipe_files.shipped())
    print(f"{machine()}; test scores, seeds {SEEDS.start} to {SEEDS.stop - 1}\n")
    rows_of_table = []
    with tempfile.TemporaryDirectory() as out:
        for name in names:
            found = {"recipe": [], "plain Keras": []}
            for seed in track(SEEDS, description=name, transient=True):
                rows = read_rows(inspect(name, seed=seed)[0], [])
                for label, make in zip(found, (ours, plain), strict=True):
                    began = time.process_time()
                    outputs = make(name, seed, rows, out)
                    seconds = time.process_time() - began
                    found[label].append((*score(rows, outputs), seconds))
            for label, results in found.items():
                scores, losses, seconds = zip(*results, strict=True)
                digits = 4 if max(scores) <= 1 else 2
                each = " ".join(f"{value:.{digits}f}" for value in scores)
                row = [f"{np.mean(scores):.{digits}f}", each, f"{np.mean(losses):.4f}"]
                rows_of_table.append([name, label, *row, f"{np.mean(seconds):.1f}"])
    header = [
        "recipe",
        "model",
        "accuracy or RMSE, mean",
        "each seed",
        "log loss or MSE / variance, mean",
        "CPU s",
    ]
    print(table(header, rows_of_table))


if __name__ == "__main__":
    main()
