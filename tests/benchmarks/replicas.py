"""Time and CPU of a step on two replicas: what ours adds to a plain MirroredStrategy and fit."""

import os
import statistics
import time

import keras
import numpy as np
from tables import machine, spread, table

import kerasrecipes as kr

ROWS, BATCH, EPOCHS, ROUNDS = 12_800, 256, 5, 11


def make(strategy, optimizer):
    """The 784-100-100-10 MLP."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = keras.Sequential(
            [
                keras.Input((784,)),
                keras.layers.Dense(100, "relu"),
                keras.layers.Dense(100, "relu"),
                keras.layers.Dense(10, "softmax"),
            ]
        )
        loss = "sparse_categorical_crossentropy"
        model.compile(optimizer(1e-4, weight_decay=0.01, global_clipnorm=1.0), loss)
    return model


def plain(strategy, x, y):
    """The data as Keras takes it."""
    return {"x": x, "y": y, "batch_size": BATCH}


def even(strategy, x, y):
    """The data as recipe models divide it."""
    batches = kr.data.batches(x, y, batch_size=BATCH, seed=0)
    return {"x": kr.distribute.EvenBatches(batches, strategy), "shuffle": False}


class Steps(keras.callbacks.Callback):
    """Times the steps, and the CPU of the epochs after the first."""

    def on_train_begin(self, logs=None):
        self.seconds, self.cpu, self.last = [], 0.0, None

    def on_epoch_begin(self, epoch, logs=None):
        self.last = None  # what is between epochs is no step
        if epoch == 1:
            self.cpu = sum(os.times()[:2])

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if self.last is not None:
            self.seconds.append(now - self.last)
        self.last = now

    def on_train_end(self, logs=None):
        steps = ROWS // BATCH * (EPOCHS - 1)
        self.cpu = (sum(os.times()[:2]) - self.cpu) / steps * 1e3
        self.wall = statistics.median(self.seconds) * 1e3


OURS, THEIRS = kr.optimizers.AdamW, keras.optimizers.AdamW
CASES = {
    "AdamW and arrays of Keras": (THEIRS, plain),
    "AdamW and arrays of Keras, again": (THEIRS, plain),
    "our AdamW": (OURS, plain),
    "`EvenBatches`": (THEIRS, even),
    "both": (OURS, even),
}


def main():
    """Prints the table."""
    kr.distribute.logical_cpus(2)
    strategy = kr.distribute.strategy("mirrored:2", verbose=False)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 784)).astype("float32")
    y = rng.integers(0, 10, ROWS)
    models = {name: make(strategy, optimizer) for name, (optimizer, _) in CASES.items()}
    wall = {name: [] for name in CASES}
    cpu = {name: [] for name in CASES}
    for turn in range(ROUNDS + 1):  # the first, which traces the steps, does not count
        for name in list(CASES)[:: 1 if turn % 2 else -1]:
            steps = Steps()
            data = CASES[name][1](strategy, x, y)
            models[name].fit(**data, epochs=EPOCHS, verbose=0, callbacks=[steps])
            if turn:
                wall[name].append(steps.wall)
                cpu[name].append(steps.cpu)
    base = next(iter(CASES))
    print(f"{machine()}; 2 logical CPUs, {ROWS:,} rows in batches of {BATCH}, ", end="")
    print(f"median (least to most) of {ROUNDS} alternating fits of {EPOCHS} epochs: ")
    print("the median step, and the CPU of all epochs but the first\n")
    rows = [
        [
            name,
            spread(wall[name], 2),
            spread([a / b for a, b in zip(wall[name], wall[base], strict=True)]),
            spread(cpu[name], 2),
            spread([a / b for a, b in zip(cpu[name], cpu[base], strict=True)]),
        ]
        for name in CASES
    ]
    print(table(["case", "ms a step", "ratio of time", "CPU ms a step", "ratio of CPU"], rows))


if __name__ == "__main__":
    main()
