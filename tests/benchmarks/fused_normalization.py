"""CPU time of a training step with the fused batch normalisation, beside that of Keras.

The two models differ in nothing else; their fits alternate. One thread.

    taskset -c 0 python tests/benchmarks/fused_normalization.py
"""

import statistics
import time

import keras
import numpy as np
import tensorflow as tf
from tables import machine, spread, table

import kerasrecipes as kr

STEPS, BATCH, ROUNDS = 10, 128, 5
CASES = {
    "cnn, 28 x 28 x 1": ("cnn", (28, 28, 1), {}),
    "cnn, 28 x 28 x 1, filters 32-64-128": ("cnn", (28, 28, 1), {"filters": (32, 64, 128)}),
    "resnet, 28 x 28 x 1": ("resnet", (28, 28, 1), {}),
    "cnn, 32 x 32 x 3": ("cnn", (32, 32, 3), {}),
}


def fitted(recipe, shape, arguments, normalization):
    """Returns a function that trains for some steps and returns CPU milliseconds a step."""
    keras.utils.set_random_seed(0)
    model = getattr(kr.recipes, recipe)(
        shape,
        kr.targets.Multiclass(10),
        normalization=normalization,
        augmentation=None,
        schedule=None,
        **arguments,
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, *shape)).astype("float32")
    y = rng.integers(0, 10, BATCH)
    data = tf.data.Dataset.from_tensors((tf.constant(x), tf.constant(y))).repeat(STEPS)

    def fit():
        began = time.process_time()
        model.fit(data, verbose=0)
        return (time.process_time() - began) / STEPS * 1e3

    fit()
    return fit


def main():
    """Prints the table."""
    for kind in ("intra", "inter"):
        getattr(tf.config.threading, f"set_{kind}_op_parallelism_threads")(1)
    rows = []
    for name, case in CASES.items():
        of_keras = fitted(*case, {"name": "batch", "momentum": 0.9})
        fused = fitted(*case, "batch")
        pairs = [(of_keras(), fused()) for _ in range(ROUNDS)]
        ratios = [a / b for a, b in pairs]
        medians = [statistics.median(each) for each in zip(*pairs, strict=True)]
        rows.append([name, *(f"{each:.1f}" for each in medians), spread(ratios, 2)])
    header = ["network, batch of 128", "Keras, CPU ms", "fused, CPU ms", "ratio"]
    print(f"{machine()}; one thread\n\n{table(header, rows)}")


if __name__ == "__main__":
    main()
