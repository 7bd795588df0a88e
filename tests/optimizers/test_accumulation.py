"""Accumulation: one update from the mean gradient of several batches."""

import keras
import numpy as np
import pytest

from kerasrecipes import callbacks, optimizers, schedules
from kerasrecipes._checks import InputError
from tests.harness import representative

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 4)).astype("float32")
Y = (X @ RNG.normal(size=(4, 2))).astype("float32")


def trained(optimizer, *, batch_size, epochs=3, use=()):
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(optimizer, "mse")
    fit = {"epochs": epochs, "shuffle": False, "verbose": 0, "callbacks": list(use)}
    model.history = model.fit(X, Y, batch_size=batch_size, **fit)
    return model


MAKERS = {
    "sgd": lambda **kw: optimizers.SGD(0.05, **kw),
    "adamw": lambda **kw: optimizers.AdamW(0.01, weight_decay=0.1, **kw),
    "nadam": lambda **kw: optimizers.Nadam(0.01, **kw),
    "schedule_free": lambda **kw: optimizers.ScheduleFreeAdamW(0.01, weight_decay=0.1, **kw),
    "muon": lambda **kw: optimizers.Muon(0.01, **kw),
    "rmsprop": lambda **kw: optimizers.RMSprop(0.01, momentum=0.5, centered=True, **kw),
    "clipped": lambda **kw: optimizers.SGD(0.05, global_clipnorm=0.5, **kw),
    "auto": lambda **kw: optimizers.Adam(0.01, global_clipnorm="auto", **kw),
    "lookahead": lambda **kw: optimizers.Lookahead(optimizers.Adam(0.01, **kw), sync_period=2),
}


OFTEN = "schedule_free", "auto", "lookahead"


@pytest.mark.parametrize("name", representative(MAKERS, *OFTEN))
def test_four_batches_of_eight_update_like_one_of_thirty_two(name):
    whole = trained(MAKERS[name](), batch_size=32)
    parts = trained(MAKERS[name](gradient_accumulation_steps=4), batch_size=8)
    assert int(parts.optimizer.iterations) == int(whole.optimizer.iterations) == 6
    for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=2e-6)


def test_nothing_moves_before_the_update_is_due():
    variable = keras.Variable([1.0, 2.0], name="kernel")
    optimizer = optimizers.AdamW(0.1, gradient_accumulation_steps=3, weight_decay=0.5)
    for call in range(1, 8):
        before = [v.numpy() for v in (variable, *optimizer.variables)] if call > 1 else None
        optimizer.apply([keras.ops.ones(2)], [variable])
        if call in (2, 5):
            moved = [
                v
                for v, b in zip((variable, *optimizer.variables), before, strict=True)
                if not np.array_equal(v.numpy(), b)
            ]
            assert {v.path.rsplit("/")[-1] for v in moved} == {"iteration", "kernel_accumulated"}
    assert int(optimizer.iterations) == 2


def test_c5_schedules_count_updates_where_keras_counts_batches():
    rate = {"learning_rate": keras.optimizers.schedules.PolynomialDecay(1.0, 8, 0.0)}
    plain = keras.optimizers.SGD(**rate, gradient_accumulation_steps=4)
    ours = optimizers.SGD(**rate, momentum=0.0, gradient_accumulation_steps=4)
    for optimizer in (plain, ours):
        variable = keras.Variable([0.0])
        for _ in range(4):
            optimizer.apply([keras.ops.zeros(1)], [variable])
    assert float(plain.learning_rate) == pytest.approx(0.5), "Keras mended C5"
    assert float(ours.learning_rate) == pytest.approx(1 - 1 / 8)


@pytest.mark.parametrize("batch_size", [8, 12])
def test_relative_schedules_end_with_the_fit(batch_size):
    optimizer = optimizers.SGD(schedules.Cosine(0.1), gradient_accumulation_steps=4)
    use = [callbacks.BindSchedule(), callbacks.LearningRateLog()]
    model = trained(optimizer, batch_size=batch_size, epochs=4, use=use)
    updates = 4 * -(-64 // batch_size) / 4
    done = np.floor(np.arange(1, 5) * updates / 4)
    expected = 0.05 * (1 + np.cos(np.pi * np.minimum(done / np.round(updates), 1)))
    np.testing.assert_allclose(model.history.history["learning_rate"], expected, atol=1e-6)


def test_state_survives_saving_between_updates(tmp_path):
    one = trained(optimizers.Adam(0.01, gradient_accumulation_steps=5), batch_size=16, epochs=1)
    one.save(tmp_path / "model.keras")
    two = keras.saving.load_model(tmp_path / "model.keras")
    for model in (one, two):
        model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    assert int(one.optimizer.iterations) == 2
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_missing_gradients_are_passed_over():
    variables = [keras.Variable([1.0]), keras.Variable([1.0])]
    optimizer = optimizers.SGD(1.0, momentum=0.0, gradient_accumulation_steps=2)
    for _ in range(2):
        with pytest.warns(UserWarning, match="Gradients do not exist"):
            optimizer.apply([None, keras.ops.ones(1)], variables)
    assert [float(v.numpy()[0]) for v in variables] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gradient_accumulation_steps": 1}, "`gradient_accumulation_steps`"),
        ({"gradient_accumulation_steps": 2.5}, "`gradient_accumulation_steps`"),
        ({"gradient_accumulation_steps": 2, "use_ema": True}, "`use_ema`"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(InputError, match=message):
        optimizers.Adam(**arguments)
