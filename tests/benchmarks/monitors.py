"""Time and CPU of an epoch with the monitors, against the same fit without them."""

import time

import keras
import numpy as np
from tables import machine, spread, table

import kerasrecipes as kr

ROWS, EPOCHS, ROUNDS = 20_000, 4, 7


def make():
    """The 784-100-100-10 MLP."""
    keras.utils.set_random_seed(0)
    hidden = {"hidden": (100, 100), "optimizer": "adam", "seed": 0}
    return kr.recipes.mlp((784,), kr.targets.Multiclass(10), **hidden)


def both(every):
    """Both monitors."""
    return [kr.callbacks.GradientMonitor(every=every), kr.callbacks.ActivationMonitor(every=every)]


CASES = {
    "no callbacks": list,
    "GradientMonitor(every=1)": lambda: [kr.callbacks.GradientMonitor(every=1)],
    "GradientMonitor(every=10)": lambda: [kr.callbacks.GradientMonitor(every=10)],
    "ActivationMonitor(every=1)": lambda: [kr.callbacks.ActivationMonitor(every=1)],
    "ActivationMonitor(every=10)": lambda: [kr.callbacks.ActivationMonitor(every=10)],
    "both, every=10": lambda: both(10),
    "both, every=100": lambda: both(100),
}


class Clock(keras.callbacks.Callback):
    """Times the epochs after the first, which traces the step anew."""

    def on_train_begin(self, logs=None):
        """Begins a fit."""
        self.wall, self.cpu = [], []

    def on_epoch_begin(self, epoch, logs=None):
        """Starts."""
        self.began, self.before = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        """Stops."""
        if epoch:
            self.wall.append(time.perf_counter() - self.began)
            self.cpu.append(time.process_time() - self.before)


def main():
    """Prints the table."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 784)).astype("float32")
    y = rng.integers(0, 10, ROWS)
    print(f"{machine()}; {ROWS:,} rows, mlp 784-100-100-10, ", end="")
    print(f"median (least to most) of {ROUNDS} alternating fits")
    for size in (32, 128):
        print(f"\nBatches of {size}\n", flush=True)
        compare(make(), kr.data.batches(x, y, batch_size=size, seed=0))


def compare(model, data):
    """Prints the table of one model."""
    wall = {name: [] for name in CASES}
    cpu = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name, callbacks in CASES.items():
            clock = Clock()
            given = [*callbacks(), clock]
            model.fit(data, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=given)
            wall[name].append(min(clock.wall))
            cpu[name].append(min(clock.cpu))
    base = "no callbacks"
    rows = [
        [
            name,
            spread(wall[name]),
            spread([a / b for a, b in zip(wall[name], wall[base], strict=True)]),
            spread([a / b for a, b in zip(cpu[name], cpu[base], strict=True)]),
            f"{min(cpu[name]) / min(cpu[base]):.3f}",
        ]
        for name in CASES
    ]
    header = ["callbacks", "s per epoch", "ratio of time", "ratio of CPU time", "of the least"]
    print(table(header, rows), flush=True)


if __name__ == "__main__":
    main()
