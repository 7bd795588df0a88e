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


def score(metrics):
    """Returns the score that the tables show: accuracy or RMSE."""
    return metrics["accuracy"] if "accuracy" in metrics else metrics["rmse"]


def ours(name, seed, out):
    """Trains the recipe; returns its test score, its loss and its seconds."""
    began = time.process_time()
    run = runs.train(name, seed=seed, out=out, quiet=True)
    metrics = run.metrics["metrics"]["test"]
    return score(metrics), metrics["loss"], time.process_time() - began


def plain(recipe_name, seed):
    """Trains the plain network on the same rows; returns the same."""
    began = time.process_time()
    recipe, _ = inspect(recipe_name, seed=seed)
    rows = read_rows(recipe, [])
    keras.utils.set_random_seed(seed)
    (x, y), (xv, yv), (xt, yt) = (rows.parts[name] for name in ("train", "validation", "test"))
    mean, deviation = x.mean(0), np.where(x.std(0) > 0, x.std(0), 1)
    x, xv, xt = ((each - mean) / deviation for each in (x, xv, xt))
    regression = isinstance(rows.target, targets.Regression)
    center, scale = (y.mean(), y.std()) if regression else (0, 1)
    if regression:
        y, yv = (y - center) / scale, (yv - center) / scale
    classes = max(rows.target.units, 2) if not regression else 1
    model = keras.Sequential(
        [
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(classes, activation=None if regression else "softmax"),
        ]
    )
    model.compile("adam", "mse" if regression else "sparse_categorical_crossentropy")
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    model.fit(x, y, 32, 50, verbose=0, callbacks=[stop], validation_data=(xv, yv))
    p = model.predict(xt, verbose=0)
    if regression:
        error = p[:, 0] * scale + center - yt
        value, loss = float(np.sqrt((error**2).mean())), float((error**2).mean() / scale**2)
    else:
        value = float((p.argmax(1) == yt).mean())
        loss = float(-np.log(np.maximum(p[np.arange(len(yt)), yt], 1e-7)).mean())
    return value, loss, time.process_time() - began


def main():
    """Prints the table, for the recipes named on the command line or all."""
    names = sys.argv[1:] or sorted(_recipe_files.shipped())
    print(f"{machine()}; test scores, seeds {SEEDS.start} to {SEEDS.stop - 1}\n")
    rows = []
    with tempfile.TemporaryDirectory() as out:
        for name in names:
            makers = {"recipe": lambda n, s: ours(n, s, out), "plain Keras": plain}
            found = {label: [] for label in makers}
            for seed in track(SEEDS, description=name, transient=True):
                for label, make in makers.items():
                    found[label].append(make(name, seed))
            for label, results in found.items():
                scores, losses, seconds = zip(*results, strict=True)
                digits = 4 if max(scores) <= 1 else 2
                each = " ".join(f"{value:.{digits}f}" for value in scores)
                row = [f"{np.mean(scores):.{digits}f}", each, f"{np.mean(losses):.4f}"]
                rows.append([name, label, *row, f"{np.mean(seconds):.1f}"])
    header = ["recipe", "model", "accuracy or RMSE, mean", "each seed", "loss, mean", "CPU s"]
    print(table(header, rows))


if __name__ == "__main__":
    main()
