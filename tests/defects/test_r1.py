"""R1: with a seed set, `fit(x, y)` of Keras repeats one order; ours is new in each epoch."""

import keras
import numpy as np
import pytest

from kerasrecipes import data

ROWS = 24
X = np.arange(ROWS, dtype="float32")[:, None]


class Recorder(keras.Model):
    """A linear model that writes down the rows of each step."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.seen = []

    def call(self, x):
        return self.dense(x)

    def train_step(self, batch):
        self.seen.append(batch[0].numpy()[:, 0].astype(int).tolist())
        return super().train_step(batch)


class BeginEpoch(keras.callbacks.Callback):
    """What the callbacks of the package do for the shuffle."""

    def on_epoch_begin(self, epoch, logs=None):
        data.begin_epoch(epoch)


@pytest.fixture
def model():
    model = Recorder()
    model.compile(keras.optimizers.SGD(1e-4, momentum=0.9), "mse", run_eagerly=True)
    return model


def orders(model, epochs):
    """The rows of each epoch in the order seen, and forgets them."""
    rows = [row for batch in model.seen for row in batch]
    model.seen.clear()
    return np.reshape(rows, (epochs, ROWS)).tolist()


def expected(seed, epochs):
    return [data.permutation(ROWS, seed=seed, epoch=epoch).tolist() for epoch in epochs]


def test_plain_keras_repeats_the_order_once_a_seed_is_set(model):
    keras.utils.set_random_seed(3)
    model.fit(X, X, batch_size=8, epochs=3, shuffle=True, verbose=0)
    first, second, third = orders(model, 3)
    assert first != list(range(ROWS))
    assert first == second == third


def test_ours_is_new_in_each_epoch_and_follows_seed_and_epoch(model):
    keras.utils.set_random_seed(3)
    model.fit(data.batches(X, X, batch_size=8, seed=5), epochs=3, shuffle=False, verbose=0)
    seen = orders(model, 3)
    assert all(sorted(order) == list(range(ROWS)) for order in seen)
    assert seen[0] != seen[1] != seen[2] != seen[0]
    assert seen == expected(5, range(3))


def test_global_seed_does_not_change_the_order(model):
    seen = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        model.fit(data.batches(X, X, batch_size=8, seed=5), epochs=2, shuffle=False, verbose=0)
        seen.append(orders(model, 2))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("batch_size", [8, 7])
def test_resumed_fit_sees_the_order_of_the_uninterrupted_one(model, batch_size):
    resumed = data.batches(X, X, batch_size=batch_size, seed=5)
    model.fit(
        resumed, initial_epoch=2, epochs=5, shuffle=False, verbose=0, callbacks=[BeginEpoch()]
    )
    assert orders(model, 3) == expected(5, range(2, 5))


def test_callback_overrules_the_count_of_passes(model):
    dataset = data.batches(X, X, batch_size=8, seed=5)
    for _ in range(2):
        list(dataset)
    model.fit(dataset, epochs=2, shuffle=False, verbose=0, callbacks=[BeginEpoch()])
    assert orders(model, 2) == expected(5, range(2))


def test_resumed_weights_equal_the_uninterrupted_ones_bit_for_bit():
    def train(*spans):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(3), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(1e-4, momentum=0.9), "mse")
        for first, last in spans:
            dataset = data.batches(X, X, batch_size=7, seed=5)
            model.fit(
                dataset,
                initial_epoch=first,
                epochs=last,
                shuffle=False,
                verbose=0,
                callbacks=[BeginEpoch()],
            )
        return model.get_weights()

    whole, resumed = train((0, 4)), train((0, 2), (2, 4))
    assert all((a == b).all() for a, b in zip(whole, resumed, strict=True))
