"""Test scores of `kerasrecipes.runs.auto` within some seconds by the clock, from a csv file.

    python tests/benchmarks/auto_quality.py [NAME ...] [seconds=60] [splits=5]

The training rows of each split (those of tables_quality.py) are a file, which is all that the run
is given; the test rows are scored by the model that it saved.
"""

import pathlib
import sys
import tempfile
import time

import keras
import numpy as np
from tables import machine, table
from tables_quality import SMALL, parts, read

import kerasrecipes as kr


def scored(name, seed, seconds):
    """Returns what was kept, the score, the log loss, and the wall and CPU seconds."""
    x, y = read(name, None)
    train, _, test = parts(name, y.to_numpy(), seed)
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        x.iloc[train].assign(label=y.iloc[train]).to_csv(folder / "rows.csv", index=False)
        x.iloc[test].to_csv(folder / "test.csv", index=False)
        given = {"target": "label", "seconds": seconds, "seed": seed, "out": folder, "quiet": True}
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


def row_of(name, splits, seconds):
    """Returns a row of the table."""
    found = []
    for seed in range(splits):
        found.append(scored(name, seed, seconds))
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
    names = [each for each in sys.argv[1:] if each in SMALL] or list(SMALL)
    splits, seconds = int(given.get("splits", 5)), float(given.get("seconds", 60))
    header = ["data", "kept", "score", "each", "log loss", "each", "wall s", "CPU s"]
    rows = [row_of(name, splits, seconds) for name in names]
    print(f"{machine()}; seconds={seconds:g}\n\n{table(header, rows)}")


if __name__ == "__main__":
    main()
