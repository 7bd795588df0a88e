"""CPU time of a step of `fit` over pipelines, recipe models against hand-written Keras ones."""

import statistics
import warnings

import keras
import tensorflow as tf
from execution import plain_cnn, plain_mlp, rows_of, seconds
from tables import machine, spread, table

import kerasrecipes as kr

ROUNDS, EPOCHS = 5, 2
CLASSES = kr.targets.Multiclass(10)
SMALL = {"hidden": (100, 100), "seed": 0}


def small():
    return plain_mlp(50, (100, 100)), kr.recipes.mlp((50,), CLASSES, **SMALL)


def images():
    options = {"filters": (32, 64), "augmentation": None, "schedule": None, "seed": 0}
    return plain_cnn(), kr.recipes.cnn((28, 28, 1), CLASSES, **options)


def dataset(x, y, size):
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(size).prefetch(2)


def of_unknown_size(x, y, size):
    return dataset(x, y, size).filter(lambda *rows: True)


class Sequence(keras.utils.PyDataset):
    def __init__(self, x, y, size):
        super().__init__()
        self.x, self.y, self.size = x, y, size

    @property
    def num_batches(self):
        return -(-len(self.x) // self.size)

    def __getitem__(self, index):
        rows = slice(index * self.size, (index + 1) * self.size)
        return self.x[rows], self.y[rows]


CASES = {
    "mlp 50-100-100-10, dataset, batch 32": (small, dataset, (50,), 16384, 32),
    "the same, of unknown size": (small, of_unknown_size, (50,), 16384, 32),
    "the same, a PyDataset": (small, Sequence, (50,), 8192, 32),
    "mlp 50-100-100-10, dataset, batch 128": (small, dataset, (50,), 32768, 128),
    "cnn 28x28, dataset, batch 128": (images, dataset, (28, 28, 1), 2560, 128),
}


def steps(name):
    """Returns a row of the table."""
    make, feed, shape, count, size = CASES[name]
    data = feed(*rows_of(count, shape), size)
    models, given = make(), {"shuffle": False, "verbose": 0}
    for model in models:
        model.fit(data, **given)
    found = [
        [seconds(lambda m=m: m.fit(data, epochs=EPOCHS, **given)) for m in models]
        for _ in range(ROUNDS)
    ]
    per_step = 1e6 / (EPOCHS * -(-count // size))
    return [
        name,
        f"{statistics.median(pair[0][1] for pair in found) * per_step:.0f}",
        spread([pair[1][1] * per_step for pair in found], 0),
        spread([pair[0][1] / pair[1][1] for pair in found], 2),
        spread([pair[0][0] / pair[1][0] for pair in found], 2),
    ]


def main():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    warnings.filterwarnings("ignore", "Your input ran out of data")
    print(f"{machine()}; one thread, median (least to most) of {ROUNDS} alternating rounds\n")
    header = ["pipeline", "Keras, us of a step", "ours", "ratio of CPU", "ratio of time"]
    print(table(header, [steps(name) for name in CASES]))


if __name__ == "__main__":
    main()
