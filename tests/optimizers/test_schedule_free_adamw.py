"""ScheduleFreeAdamW against optax, and its average where Keras has none."""

import jax
import keras
import numpy as np
import optax
import pytest

import kerasrecipes as kr

GRADIENTS = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
W0 = np.array([0.8, -1.5, 0.3], "float32")


def test_training_point_and_average_agree_with_optax():
    warmup = 5
    peer = optax.contrib.schedule_free_adamw(0.05, warmup_steps=warmup, b1=0.9, b2=0.999)
    params = jax.numpy.asarray(W0)
    state = peer.init(params)
    ours = kr.optimizers.ScheduleFreeAdamW(0.05, warmup_steps=warmup)
    variable = keras.Variable(W0, name="kernel")
    for gradient in GRADIENTS:
        updates, state = peer.update(jax.numpy.asarray(gradient), state, params)
        params = optax.apply_updates(params, updates)
        ours.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    tolerance = {"rtol": 0, "atol": 3 * 0.05 / warmup}  # optax's warm-up begins at a rate of 0
    np.testing.assert_allclose(variable.numpy(), params, **tolerance)
    average = optax.contrib.schedule_free_eval_params(state, params)
    ours.to_average()
    np.testing.assert_allclose(variable.numpy(), average, **tolerance)


def by_hand(warmup, decay, rate=0.05, b1=0.9, b2=0.999, eps=1e-8):
    """Defazio et al. 2024, algorithm 1, in float64."""
    x = z = y = W0.astype("float64")
    v, best, total = 0.0, 0.0, 0.0
    for t, g in enumerate(GRADIENTS.astype("float64"), start=1):
        r = rate * min(1.0, t / warmup) if warmup else rate
        v = b2 * v + (1 - b2) * g * g
        z = z - r * (g / (np.sqrt(v / (1 - b2**t)) + eps) + decay * y)
        best = max(best, r)
        total += best**2
        x = x + best**2 / total * (z - x)
        y = (1 - b1) * z + b1 * x
    return x, y


@pytest.mark.parametrize(("warmup", "decay"), [(0, 0.0), (5, 0.0), (7, 0.2)])
def test_it_is_the_algorithm_of_the_paper(warmup, decay):
    x, y = by_hand(warmup, decay)
    ours = kr.optimizers.ScheduleFreeAdamW(0.05, warmup_steps=warmup, weight_decay=decay)
    variable = keras.Variable(W0, name="kernel")
    for gradient in GRADIENTS:
        ours.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    np.testing.assert_allclose(variable.numpy(), y, rtol=2e-5)
    ours.to_average()
    ours.to_average()
    np.testing.assert_allclose(variable.numpy(), x, rtol=2e-5)
    ours.to_training()
    ours.to_training()
    np.testing.assert_allclose(variable.numpy(), y, rtol=2e-5)


def test_a_schedule_changes_the_rate_but_no_momentum():
    """Against the algorithm with each update's rate; z and x in float64."""
    schedule = kr.schedules.OneCycle(0.1, total=20)
    optimizer, variable = kr.optimizers.ScheduleFreeAdamW(schedule), keras.Variable(W0)
    x = z = W0.astype("float64")
    v, best, total = 0.0, 0.0, 0.0
    for t, g in enumerate(GRADIENTS.astype("float64"), start=1):
        rate = float(optimizer.learning_rate)
        optimizer.apply([keras.ops.convert_to_tensor(g, "float32")], [variable])
        v = 0.999 * v + 0.001 * g * g
        z = z - rate * g / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        best = max(best, rate)
        total += best**2
        x = x + best**2 / total * (z - x)
    optimizer.to_average()
    np.testing.assert_allclose(variable.numpy(), x, rtol=1e-4)


def test_keras_starts_from_zero_when_fit_builds_it():
    """Keras's z starts at 0 instead of the weights, so its first updates shrink them."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    start = model.get_weights()[0]
    moved = {}
    for package in (keras, kr):
        model.set_weights([start])
        model.compile(package.optimizers.ScheduleFreeAdamW(1e-6), "mse")
        model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=3, verbose=0)
        moved[package] = np.abs(model.get_weights()[0] - start).max()
    assert moved[keras] > 0.01, "Keras mended it"
    assert moved[kr] < 1e-5


X = np.random.default_rng(1).normal(size=(64, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")


def recipe_model():
    return kr.recipes.mlp(
        (4,), kr.targets.Binary(), hidden=(8,), optimizer="schedule_free_adamw",
        learning_rate=0.05, dropout=0.0, normalization=None, seed=0,
    )  # fmt: skip


def test_recipe_models_validate_and_predict_with_the_average(tmp_path):
    model = recipe_model()
    fit = {"validation_data": (X, Y), "batch_size": 16, "shuffle": False, "verbose": 0}
    history = model.fit(X, Y, epochs=3, callbacks=kr.callbacks.standard(progress=False), **fit)
    assert float(model.optimizer.is_average) == 1.0
    final = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert final["loss"] == pytest.approx(min(history.history["val_loss"]), rel=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)


def test_two_fits_equal_one():
    fit = {"batch_size": 16, "shuffle": False, "verbose": 0}
    whole, parts = recipe_model(), recipe_model()
    whole.fit(X, Y, epochs=4, **fit)
    parts.fit(X, Y, epochs=2, **fit)
    parts.fit(X, Y, epochs=4, initial_epoch=2, **fit)
    for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
