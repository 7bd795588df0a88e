"""Test scores of `kerasrecipes.runs.auto` within some seconds by the clock, from a csv file.

    python tests/benchmarks/auto_quality.py [NAME ...] [seconds=60] [splits=5] [networks=6]
        [data=FOLDER]

The training rows of each split are a file, which is all that the run is given; the test rows are
scored by the model that it saved. The sets are the small ones of tables_quality.py, and with a
folder of downloads those of small_tables.py if they are named; the splits are theirs.
"""

import pathlib
import sys
import tempfile
import time

import keras
import numpy as np
import pandas as pd
import small_tables
from sklearn.model_selection import train_test_split
from tables import machine, table
from tables_quality import SMALL, parts, read

import kerasrecipes as kr


def rows(name, folder, seed):
    """Returns inputs, labels, and the numbers of the training and test rows."""
    if name in SMALL:
        x, y = read(name, None)
        train, _, test = parts(name, y.to_numpy(), seed)
        return x, y, train, test
    x, y = small_tables.read(name, pathlib.Path(folder))
    numbers, stratify = np.arange(len(y)), None if y.dtype.kind == "f" else y
    kept = train_test_split(numbers, test_size=0.25, random_state=seed, stratify=stratify)
    return x, pd.Series(y), *kept


def scored(name, seed, data, **arguments):
    """Returns what was kept, the score, the log loss, and the wall and CPU seconds."""
    x, y, train, test = rows(name, data, seed)
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        x.iloc[train].assign(label=y.iloc[train]).to_csv(folder / "rows.csv", index=False)
        x.iloc[test].to_csv(folder / "test.csv", index=False)
        given = {"target": "label", "seed": seed, "out": folder, "quiet": True, **arguments}
        began, cpu = time.perf_counter(), time.process_time()
        run = kr.runs.auto(folder / "rows.csv", **given)
        spent = time.perf_counter() - began, time.process_time() - cpu
        predicted = kr.runs.predict(run.folder, folder / "test.csv").table
    return run.metrics["compared"]["kept"], *score_of(predicted, y.iloc[test].to_numpy()), *spent


def score_of(predicted, y):
    """Returns accuracy and log loss, or of values the RMSE and nothing."""
    if y.dtype.kind == "f":
        return float(np.sqrt(np.mean((predicted["prediction"] - y) ** 2))), np.nan
    classes = np.unique(y)
    p = predicted[[f"probability_{each}" for each in classes]].to_numpy()
    hits, place = classes[p.argmax(axis=1)] == y, np.searchsorted(classes, y)
    return hits.mean(), -np.log(np.maximum(p[np.arange(len(y)), place], 1e-15)).mean()


def row_of(name, splits, data, **arguments):
    """Returns a row of the table."""
    found = []
    for seed in range(splits):
        found.append(scored(name, seed, data, **arguments))
        print(name, seed, *found[-1], file=sys.stderr, flush=True)
        keras.backend.clear_session()
    kept, *columns = zip(*found, strict=True)
    score, loss, wall, cpu = map(np.array, columns)
    how = ", ".join(f"{each} {kept.count(each)}" for each in dict.fromkeys(kept))
    each = [" ".join(f"{value:.4f}" for value in values) for values in (score, loss)]
    means = [f"{values.mean():.4f}" for values in (score, loss)]
    spent = [f"{values.mean():.0f}" for values in (wall, cpu)]
    return [name, how, means[0], each[0], means[1], each[1], *spent]


def main():
    """Prints the table."""
    given = dict(each.split("=") for each in sys.argv[1:] if "=" in each)
    names = [each for each in sys.argv[1:] if "=" not in each] or list(SMALL)
    splits, seconds = int(given.get("splits", 5)), float(given.get("seconds", 60))
    arguments = {"seconds": seconds, "networks": int(given.get("networks", 6))}
    header = ["data", "kept", "score", "each", "log loss", "each", "wall s", "CPU s"]
    rows = [row_of(name, splits, given.get("data"), **arguments) for name in names]
    print(f"{machine()}; {arguments}\n\n{table(header, rows)}")


if __name__ == "__main__":
    main()
