"""Peak memory of a fit on arrays, and of one with an evaluation: plain Keras's and ours."""

import re
import subprocess
import sys

from tables import machine, spread, table

ROUNDS = 3
START = """
import resource
import keras
import numpy as np
import kerasrecipes as kr

rng = np.random.default_rng(0)
x = rng.standard_normal((ROWS, 100), dtype="float32")
y = rng.integers(0, 10, ROWS)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def plain():
    layers = [keras.layers.Dense(units, "relu") for units in (100, 100)]
    model = keras.Sequential([keras.Input((100,)), *layers, keras.layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model

def batches():
    return kr.data.batches(x, y, batch_size=1024)

def ours():
    return kr.recipes.mlp((100,), kr.targets.Multiclass(10), hidden=(100, 100), seed=0)

given = {"batch_size": 1024, "epochs": 2, "verbose": 0}
"""
WAYS = {
    "plain fit": "plain().fit(x, y, **given)",
    "ours": "ours().fit(x, y, **given)",
    "ours, kr.data.batches": "ours().fit(batches(), epochs=2, verbose=0)",
    "plain fit and evaluate": "m = plain(); m.fit(x, y, **given); m.evaluate(x, y, verbose=0)",
    "ours, fit and evaluate": "m = ours(); m.fit(x, y, **given); m.evaluate(x, y, verbose=0)",
}


def megabytes(way, rows):
    """Returns the peak of a process, less that of one that has the libraries and the rows."""
    code = (
        START.replace("ROWS", str(rows)) + f"before = peak()\n{way}\nprint('MB', peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(re.search(r"MB (\S+)", done.stdout)[1])


def main():
    print(f"{machine()}; median (least to most) of {ROUNDS} rounds\n")
    header = ["MB beyond the libraries and the arrays", "rows of 8 MB", "rows of 400 MB"]
    found = {name: {rows: [] for rows in (20_000, 1_000_000)} for name in WAYS}
    for _ in range(ROUNDS):
        for name, way in WAYS.items():
            for rows, values in found[name].items():
                values.append(megabytes(way, rows))
    lines = [
        [name, *(spread(values, 0) for values in each.values())] for name, each in found.items()
    ]
    print(table(header, lines))


if __name__ == "__main__":
    main()
