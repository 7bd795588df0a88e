"""Test scores and CPU seconds of the recipes for sequences on sets that install as packages.

Called with a folder of downloads, and any of the names of data sets, recipes and numbers of seeds:

    pip download --no-deps -d FOLDER aeon mnist1d
    taskset -c 0 python tests/benchmarks/sequences_quality.py FOLDER [NAME ...] [RECIPE ...] [SEEDS]

Recipes are "temporal" (form "fcn"), "resnet" (the other form), "rnn" and "transformer", with
their defaults but for the padding of series of unlike lengths. Sets have fixed training and test
rows; the seed draws weights, order and dropout. Nothing is chosen on test rows: a fit has as many
epochs as make 1,500 updates (`updates=N` for others), at least 15, in batches of 64, or of 16
below 1,000 rows, and ends where the rate does. CPU seconds are those of building, tracing and
fitting.
"""

import importlib
import pathlib
import sys
import time
import zipfile

import keras
import numpy as np
import tensorflow as tf
from tables import machine, table

import kerasrecipes as kr

PADDING = -1e9
SERIES = ("GunPoint", "OSULeaf", "ArrowHead", "JapaneseVowels", "PickupGestureWiimoteZ")
NAMES = ("mnist1d", *SERIES)
RECIPES = {
    "temporal": (kr.recipes.temporal, {}),
    "resnet": (kr.recipes.temporal, {"form": "resnet"}),
    "rnn": (kr.recipes.rnn, {}),
    "transformer": (kr.recipes.transformer, {}),
}


def mnist1d(folder):
    """Returns the 4,000 training and 1,000 test rows of 40 steps."""
    (wheel,) = folder.glob("mnist1d*.whl")
    sys.path.insert(0, str(wheel))
    data = importlib.import_module("mnist1d.data")
    found = data.make_dataset(data.get_dataset_args())
    return found["x"], found["y"], found["x_test"], found["y_test"]


def series(folder, name):
    """Returns the series of an archive's .ts files, padded where their lengths differ."""
    (wheel,) = folder.glob("aeon*.whl")
    files = zipfile.ZipFile(wheel)
    parts = []
    for part in ("TRAIN", "TEST"):
        text = files.read(f"aeon/datasets/data/{name}/{name}_{part}.ts").decode()
        lines = text[text.lower().index("@data") + 5 :].split("\n")
        parts.append([_row(line) for line in lines if line.strip()])
    labels = sorted({label for part in parts for _, label in part})
    longest = max(len(each) for part in parts for each, _ in part)
    arrays = []
    for part in parts:
        rows = [each for each, _ in part]
        x = keras.utils.pad_sequences(
            rows, maxlen=longest, dtype="float32", padding="post", value=PADDING
        )
        arrays += [x, np.array([labels.index(label) for _, label in part])]
    return arrays


def _row(line):
    *channels, label = line.strip().split(":")
    values = [np.array(each.split(","), "float64") for each in channels]
    return np.stack(values, axis=1), label


def trained(recipe, x, y, seed, updates):
    """Returns a trained model, the epochs and the CPU seconds that it took."""
    make, arguments = RECIPES[recipe]
    if (x == PADDING).any():
        arguments = {**arguments, "mask_value": PADDING}
    batch_size = 64 if len(x) >= 1_000 else 16
    epochs = max(15, round(updates / np.ceil(len(x) / batch_size)))
    keras.utils.set_random_seed(seed)
    began = time.process_time()
    target = kr.targets.Multiclass(int(y.max()) + 1)
    model = make(x.shape[1:], target, seed=seed, **arguments)
    rows = kr.data.batches(x, y, batch_size=batch_size, seed=seed)
    model.fit(rows, epochs=epochs, verbose=0)
    return model, epochs, time.process_time() - began


def row_of(name, recipe, folder, seeds, updates):
    """Returns a row of the table."""
    found = []
    x, y, xt, yt = mnist1d(folder) if name == "mnist1d" else series(folder, name)
    for seed in range(seeds):
        model, epochs, seconds = trained(recipe, x, y, seed, updates)
        p = model.predict(xt, verbose=0)
        loss = -np.log(np.maximum(p[np.arange(len(yt)), yt], 1e-7)).mean()
        found.append(((p.argmax(axis=1) == yt).mean(), loss, seconds))
        print(name, recipe, seed, *found[-1], file=sys.stderr, flush=True)
        keras.backend.clear_session()
    score, loss, seconds = map(np.array, zip(*found, strict=True))
    each = " ".join(f"{value:.4f}" for value in score)
    return [name, recipe, epochs, f"{score.mean():.4f}", each, f"{loss.mean():.4f}",
            f"{seconds.mean():.1f}"]  # fmt: skip


def main():
    """Prints the table."""
    for kind in ("intra", "inter"):
        getattr(tf.config.threading, f"set_{kind}_op_parallelism_threads")(1)
    folder, *asked = sys.argv[1:]
    names = [each for each in asked if each in NAMES] or NAMES
    recipes = [each for each in asked if each in RECIPES] or list(RECIPES)
    seeds = next((int(each) for each in asked if each.isdigit()), 5)
    updates = next((int(each[8:]) for each in asked if each.startswith("updates=")), 1_500)
    header = ["data", "recipe", "epochs", "accuracy, mean", "each seed", "log loss", "CPU s"]
    rows = [
        row_of(name, recipe, pathlib.Path(folder), seeds, updates)
        for name in names
        for recipe in recipes
    ]
    print(f"{machine()}; one thread\n\n{table(header, rows)}")


if __name__ == "__main__":
    main()
