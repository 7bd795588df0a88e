"""Time and CPU of an epoch with the standard callbacks, against the same fit without callbacks."""

import io
import os
import tempfile
import time

import keras
import numpy as np
from rich.console import Console
from tables import machine, spread, table

import kerasrecipes as kr

ROWS, EPOCHS, ROUNDS = 20_000, 5, 9


def make():
    """The 784-100-100-10 MLP."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(100, "relu"),
            keras.layers.Dense(100, "relu"),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    loss = "sparse_categorical_crossentropy"
    model.compile(kr.optimizers.Adam(1e-4), loss, metrics=["accuracy"])
    return model


def callbacks(**arguments):
    """The standard set, which prints to nowhere and never stops early."""
    found = kr.callbacks.standard(patience=None, progress=True, **arguments)
    found[-1].console = Console(file=io.StringIO())
    return found


def fit(model, data, validation, epochs, callbacks):
    """Trains."""
    settings = {"epochs": epochs, "callbacks": callbacks, "shuffle": False, "verbose": 0}
    model.fit(data, validation_data=validation, **settings)


CASES = {
    "no callbacks": list,
    "keras.callbacks.EarlyStopping(restore_best_weights=True)": lambda: [
        keras.callbacks.EarlyStopping(patience=100, restore_best_weights=True)
    ],
    "standard()": callbacks,
    "standard(plateau=5)": lambda: callbacks(plateau=5),
    "standard(averaging='ema')": lambda: callbacks(averaging="ema"),
    "standard(checkpoint=folder)": lambda: callbacks(checkpoint=tempfile.mkdtemp()),
}


def main():
    """Prints the table."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 784)).astype("float32")
    y = rng.integers(0, 10, ROWS)
    data = kr.data.batches(x, y, batch_size=128, seed=0)
    validation = kr.data.batches(x[:2000], y[:2000], batch_size=256, shuffle=False)
    models = {name: make() for name in CASES}
    for name, model in models.items():
        fit(model, data, validation, 1, CASES[name]())
    wall = {name: [] for name in CASES}
    cpu = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name, model in models.items():
            given = CASES[name]()
            began, before = time.perf_counter(), sum(os.times()[:2])
            fit(model, data, validation, EPOCHS, given)
            wall[name].append((time.perf_counter() - began) / EPOCHS)
            cpu[name].append((sum(os.times()[:2]) - before) / EPOCHS)
    base = "no callbacks"
    print(f"{machine()}; {ROWS:,} rows in batches of 128, ", end="")
    print(f"median (least to most) of {ROUNDS} alternating fits of {EPOCHS} epochs\n")
    rows = [
        [
            name,
            spread(wall[name]),
            spread([a / b for a, b in zip(wall[name], wall[base], strict=True)]),
            spread([a / b for a, b in zip(cpu[name], cpu[base], strict=True)]),
        ]
        for name in CASES
    ]
    print(table(["callbacks", "s per epoch", "ratio of time", "ratio of CPU time"], rows))


if __name__ == "__main__":
    main()
