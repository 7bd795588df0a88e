"""What the parts of a step cost: `mlp` 50-100-100-10, and the same without one of them."""

import itertools
import time
import unittest.mock

import numpy as np
import tensorflow as tf
from tables import machine, spread, table
from threadpoolctl import threadpool_limits

import kerasrecipes as kr
from kerasrecipes.execution import executor

ROUNDS = 7
ROWS = 32_000
HIDDEN = (100, 100)
PARTS = {
    "all": {},
    "without dropout": {"dropout": 0.0},
    "without batch normalisation": {"normalization": None},
    "without clipping": {"clip_norm": None},
    "SGD instead of AdamW": {"optimizer": "sgd", "weight_decay": 0.0},
    "none of these": {
        "dropout": 0.0,
        "normalization": None,
        "clip_norm": None,
        "optimizer": "sgd",
        "weight_decay": 0.0,
    },
}


def step_of(given, x, y, batch_size, way):
    """Returns a function that makes an epoch, and takes the seconds of a step."""
    model = kr.recipes.mlp((50,), kr.targets.Multiclass(10), hidden=HIDDEN, seed=0, **given)
    data = kr.data.batches(x, y, batch_size=batch_size, seed=0)

    def epoch():
        with unittest.mock.patch.object(executor, "way_to_train", return_value=way):
            began = time.process_time()
            model.fit(data, verbose=0)
            return (time.process_time() - began) / (ROWS // batch_size)

    epoch()
    return epoch


def products(batch_size):
    """Returns the seconds of the matrix products of a step, forward and backward, by NumPy."""
    rng = np.random.default_rng(0)
    sizes = [50, *HIDDEN, 10]
    shapes = []
    for a, b in itertools.pairwise(sizes):
        shapes += [((batch_size, a), (a, b)), ((batch_size, b), (b, a))]
        shapes += [((a, batch_size), (batch_size, b))]
    pairs = [[rng.normal(size=each).astype("float32") for each in pair] for pair in shapes]
    repeats = 2000
    with threadpool_limits(1):
        began = time.process_time()
        for _ in range(repeats):
            for left, right in pairs:
                left @ right
        return (time.process_time() - began) / repeats


def main():
    """Prints the tables."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(ROWS, 50)).astype("float32"), rng.integers(0, 10, ROWS)
    print(f"{machine()}; one thread, median (least to most) of {ROUNDS} alternating epochs\n")
    columns, header = [], ["mlp 50-100-100-10, us of CPU a step"]
    for batch_size in (32, 128):
        for way in ("one size", "compiled"):
            epochs = [step_of(given, x, y, batch_size, way) for given in PARTS.values()]
            found = [[epoch() for epoch in epochs] for _ in range(ROUNDS)]
            bare = [products(batch_size) for _ in range(ROUNDS)]
            parts = [*zip(*found, strict=True), bare]
            columns.append([spread([1e6 * each for each in part], 0) for part in parts])
            header.append(f"batch {batch_size}, {'XLA' if way == 'compiled' else 'graph'}")
    names = [*PARTS, "its matrix products in NumPy"]
    print(table(header, [list(line) for line in zip(names, *columns, strict=True)]))


if __name__ == "__main__":
    main()
