"""Time of a range test, tracing included, against the same test by a callback for each batch."""

import os
import time

import keras
import numpy as np
from tables import machine, spread, table

import kerasrecipes as kr

STEPS, ROUNDS = (100, 1000), 9


class PerBatch(keras.callbacks.Callback):
    """The range test as it is usually written: rate and loss cross to the host at each batch."""

    def __init__(self, rates):
        super().__init__()
        self.rates, self.losses, self.average, self.best = rates, [], 0.0, np.inf

    def on_train_begin(self, logs=None):
        self.weights = self.model.get_weights()

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = float(self.rates[len(self.losses)])
        self.model.reset_metrics()

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])
        self.average = 0.98 * self.average + 0.02 * logs["loss"]
        smoothed = self.average / (1 - 0.98 ** len(self.losses))
        self.best = min(self.best, smoothed)
        if len(self.losses) == len(self.rates):
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.model.set_weights(self.weights)


def network(width, depth):
    """A dense network of Keras's own."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(width, "relu") for _ in range(depth)]
    model = keras.Sequential(
        [keras.Input((64,)), *layers, keras.layers.Dense(10, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


CASES = {"64-32-10": (32, 1), "64-256-256-256-10": (256, 3)}


def by_callback(model, data, steps):
    """Tests to a rate at which the loss does not diverge yet."""
    callback = PerBatch(np.geomspace(1e-6, 1e-3, steps))
    model.fit(data, epochs=steps, verbose=0, shuffle=False, callbacks=[callback])
    assert len(callback.losses) == steps


def by_finder(model, data, steps):
    """The same."""
    result = kr.finders.learning_rate(model, data, stop=1e-3, steps=steps)
    assert len(result.losses) == steps


WAYS = {"callback": by_callback, "finder": by_finder}


def measured(shape, steps, data):
    """Returns wall and CPU seconds of each way, each with a new model, round by round."""
    wall, cpu = {way: [] for way in WAYS}, {way: [] for way in WAYS}
    for number in range(ROUNDS + 1):
        for way, run in WAYS.items():
            model = network(*shape)
            data.epoch = 0
            began, before = time.perf_counter(), sum(os.times()[:2])
            run(model, data, steps)
            if number:  # the first round warms up
                wall[way].append(time.perf_counter() - began)
                cpu[way].append(sum(os.times()[:2]) - before)
    return wall, cpu


def main():
    """Prints the table."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6400, 64)).astype("float32")
    data = kr.data.batches(x, rng.integers(0, 10, 6400), batch_size=32, seed=0)
    rows = []
    for name, shape in CASES.items():
        for steps in STEPS:
            wall, cpu = measured(shape, steps, data)
            cells = [spread(wall[way], 2) for way in WAYS]
            ratios = [
                spread([a / b for a, b in zip(kind["finder"], kind["callback"], strict=True)], 2)
                for kind in (wall, cpu)
            ]
            rows.append([name, steps, *cells, *ratios])
    print(f"{machine()}; batches of 32 rows, ", end="")
    print(f"median (least to most) of {ROUNDS} alternating rounds\n")
    head = ["network", "updates", "callback, s", "finder, s", "ratio of time", "ratio of CPU time"]
    print(table(head, rows))


if __name__ == "__main__":
    main()
