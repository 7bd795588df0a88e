"""C7 and R5: what Keras does about NaN and averaged weights, and what ours does."""

import keras
import numpy as np
import pytest

from kerasrecipes import callbacks, optimizers, recipes
from kerasrecipes.callbacks.non_finite import NonFinite
from kerasrecipes.callbacks.weight_averaging import WeightAveraging

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 3)).astype("float32")
Y = (X @ RNG.normal(size=(3, 1))).astype("float32")
VALIDATION = {"validation_data": (X, Y)}


def build(optimizer, **compile_arguments):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, activation="tanh")(inputs)
    ours = isinstance(optimizer, optimizers.SGD)
    kind = recipes.RecipeModel if ours else keras.Model
    model = kind(inputs, keras.layers.Dense(1)(hidden))
    model.compile(optimizer, "mse", jit_compile=False, **compile_arguments)
    return model


def fit(model, use=(), x=X, **arguments):
    defaults = {"batch_size": 8, "epochs": 1, "shuffle": False, "verbose": 0}
    return model.fit(x, Y[: len(x)], callbacks=list(use), **{**defaults, **arguments}).history


def is_finite(model):
    return all(np.isfinite(weight).all() for weight in model.get_weights())


def test_c7_nan_within_an_execution_stops_before_it_does_harm():
    x = X.copy()
    x[9] = np.nan  # in the second of the six batches of the one execution
    plain = build(keras.optimizers.SGD(0.1), steps_per_execution=6)
    fit(plain, [keras.callbacks.TerminateOnNaN()], x, epochs=3)
    assert int(plain.optimizer.iterations) == 6, "Keras mended C7"
    assert not is_finite(plain)

    ours = build(optimizers.SGD(0.1), steps_per_execution=6)
    history = fit(ours, [NonFinite("stop")], x, epochs=3)
    assert len(history["loss"]) == 1
    assert int(ours.optimizer.iterations) == 1
    reference = build(optimizers.SGD(0.1))
    fit(reference, x=X[:8])
    for a, b in zip(ours.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)

    back = build(optimizers.SGD(0.1), steps_per_execution=6)
    fit(back, [NonFinite("rollback")], x, epochs=2)
    assert is_finite(back)
    assert float(back.optimizer.learning_rate) == pytest.approx(0.05)


def test_r5_val_loss_early_stopping_and_the_final_model_are_of_the_average():
    average = {"use_ema": True, "ema_momentum": 0.9}
    plain = build(keras.optimizers.SGD(0.3, momentum=0.9, **average))
    raw = build(keras.optimizers.SGD(0.3, momentum=0.9))
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True)
    losses = fit(plain, [stopping], epochs=5, **VALIDATION)["val_loss"]
    assert losses == fit(raw, epochs=5, **VALIDATION)["val_loss"], "Keras mended R5"

    ours = build(optimizers.SGD(0.3, momentum=0.9))
    stopping = callbacks.EarlyStopping("val_loss", patience=None)
    use = [WeightAveraging(decay=0.9, warmup=False), stopping]
    losses = fit(ours, use, epochs=5, **VALIDATION)["val_loss"]
    final = ours.evaluate(X, Y, batch_size=8, verbose=0)
    assert final == pytest.approx(min(losses), rel=1e-6)


def test_r5_the_average_moves_with_updates_not_with_micro_steps():
    def updates(optimizer):
        variable = keras.Variable([0.0])
        trajectory = [0.0]
        for _ in range(4):
            optimizer.apply([keras.ops.ones(1)], [variable])
            trajectory.append(float(variable.numpy()[0]))
        return trajectory

    plain = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=2)
    trajectory = updates(plain)
    assert trajectory == [0.0, 0.0, -1.0, -1.0, -2.0]
    average = next(v for v in plain.variables if "average" in v.path)
    per_update = 0.5 * (0.5 * 0.0 + 0.5 * -1.0) + 0.5 * -2.0
    assert float(average.numpy()[0]) != pytest.approx(per_update), "Keras mended R5"

    model = build(optimizers.SGD(0.1, momentum=0.0, gradient_accumulation_steps=2))
    weights = [model.get_weights()]
    record = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: weights.append(model.get_weights())
    )
    fit(model, [WeightAveraging(decay=0.5, warmup=False), record])
    for index, found in enumerate(model.get_weights()):
        expected = weights[0][index]
        for after in weights[2::2]:
            expected = 0.5 * expected + 0.5 * after[index]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
