"""Optimizers with weights of their own, when somebody else sets the model's."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.optimizers.set_elsewhere import set_elsewhere
from tests.harness import representative

X = np.random.default_rng(1).normal(size=(64, 3)).astype("float32")
Y = X[:, :1]
FIT = {"batch_size": 4, "shuffle": False, "verbose": 0}
STEADY = 1e-9  # a rate at which an optimizer does not move weights by itself


def recipe_model(name, rate=STEADY, **more):
    optimizer = {"name": name, **more}
    if name == "lookahead":
        optimizer = {"inner_optimizer": "sgd", **optimizer}
    return kr.recipes.mlp(
        (3,), kr.targets.Regression(), hidden=(4,), normalization=None, dropout=0.0, seed=0,
        optimizer=optimizer, learning_rate=rate,
    )  # fmt: skip


def set_all(model, value):
    model.set_weights([np.full(w.shape, value, "float32") for w in model.get_weights()])


def assert_all(model, value):
    for weight in model.get_weights():
        np.testing.assert_allclose(weight, value, atol=1e-4)


@pytest.mark.parametrize("name", ["adamw", "lookahead", "schedule_free_adamw"])
def test_weights_set_after_the_recipe_has_built_the_optimizer_stay(name):
    model = recipe_model(name)
    set_all(model, 5.0)
    model.fit(X, Y, epochs=1, **FIT)
    assert_all(model, 5.0)


@pytest.mark.parametrize("name", ["adamw", "lookahead", "schedule_free_adamw"])
@pytest.mark.parametrize(
    "samples", representative([64, 60], 60)
)  # 16 updates, and 15, within a period of 6
def test_weights_set_between_two_fits_stay(name, samples):
    model = recipe_model(name)
    model.fit(X[:samples], Y[:samples], epochs=1, **FIT)
    set_all(model, 7.0)
    model.fit(X[:samples], Y[:samples], epochs=2, **FIT)
    assert_all(model, 7.0)


def test_lookahead_goes_on_from_weights_set_within_a_period():
    optimizer = kr.optimizers.Lookahead(
        kr.optimizers.SGD(1.0, momentum=0.0), sync_period=3, slow_step_size=0.5
    )
    variable = keras.Variable([10.0], name="kernel")
    gradient, seen = keras.ops.ones(1), []
    for update in range(1, 8):
        if update == 3:
            variable.assign([20.0])
        optimizer.apply([gradient], [variable])
        seen.append(variable.numpy().item())
    # 3: from slow 20 and fast 19 to 19.5; 6: from slow 19.5 and fast 16.5 to 18
    assert seen == [9.0, 8.0, 19.5, 18.5, 17.5, 18.0, 17.0]


def test_only_what_was_set_begins_anew():
    optimizer = kr.optimizers.ScheduleFreeAdamW(0.1)
    kept, changed = (keras.Variable([1.0, 2.0], name="kernel") for _ in range(2))
    gradient = keras.ops.convert_to_tensor([1.0, -1.0])
    for step in range(6):
        if step == 3:
            changed.assign([float(changed.numpy()[0]), 9.0])
        optimizer.apply([gradient, gradient], [kept, changed])
    z, other = (each.numpy() for each in optimizer.z)
    assert z[0] == other[0]
    assert changed.numpy()[0] == kept.numpy()[0]
    assert other[1] == pytest.approx(9.0 + 3 * 0.1, abs=1e-3)  # three steps of the rate from 9


def test_early_stopping_restores_and_the_next_fit_goes_on_from_there():
    class Restore(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            set_all(self.model, 3.0)

    model = recipe_model("schedule_free_adamw", rate=0.1)
    model.fit(X, Y, epochs=2, callbacks=[Restore()], **FIT)
    assert_all(model, 3.0)
    model.optimizer.learning_rate = STEADY
    model.fit(X, Y, epochs=1, **FIT)
    assert_all(model, 3.0)


def trained_on(model, batches):
    for first in range(0, 4 * batches, 4):
        model.train_on_batch(X[first : first + 4], Y[first : first + 4])
    return [w.numpy() for w in model.trainable_weights]


def test_an_update_at_the_average_begins_at_the_training_point():
    """`fit` ends at the average; `train_on_batch` knows no callback that would move it back."""
    moved, left = (recipe_model("schedule_free_adamw", rate=0.02) for _ in range(2))
    for model in (moved, left):
        model.fit(X, Y, epochs=1, **FIT)
        assert float(model.optimizer.is_average) == 1.0
    at_average = [w.numpy() for w in left.trainable_weights]
    moved.optimizer.to_training()
    at_training = [w.numpy() for w in moved.trainable_weights]
    gradients = [keras.ops.zeros(w.shape) for w in moved.trainable_weights]
    for model in (moved, left):
        model.optimizer.apply(gradients)
        assert float(model.optimizer.is_average) == 0.0
    assert max(abs(a - b).max() for a, b in zip(at_average, at_training, strict=True)) > 1e-3
    for a, b in zip(moved.trainable_weights, left.trainable_weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-6)
    trained_on(left, 3)
    left.optimizer.to_average()
    assert np.isfinite(left.predict(X, verbose=0)).all()


def test_a_raw_exception_leaves_a_recipe_model_at_the_average():
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 5:
                raise KeyboardInterrupt

    model = recipe_model("schedule_free_adamw", rate=0.05)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=1, callbacks=[Interrupt()], **FIT)
    assert float(model.optimizer.is_average) == 1.0


def test_the_average_of_a_variable_without_gradients_is_itself():
    optimizer = kr.optimizers.ScheduleFreeAdamW(0.1)
    used, unused = keras.Variable([1.0]), keras.Variable([2.0])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([keras.ops.ones(1), None], [used, unused])
    optimizer.to_average()
    assert unused.numpy().item() == 2.0


def test_constraints_do_not_count_as_set_elsewhere():
    constraint = keras.constraints.NonNeg()
    variable = keras.Variable([0.05, 1.0], name="kernel")
    variable.constraint = constraint
    optimizer = kr.optimizers.ScheduleFreeAdamW(0.1)
    for _ in range(4):
        optimizer.apply([keras.ops.ones(2)], [variable])
    assert variable.numpy()[0] == 0.0
    assert optimizer.z[0].numpy()[0] < -0.2  # z goes on, as without a constraint


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_rounding_does_not_count(dtype):
    last = keras.ops.convert_to_tensor([1.0, 1.0, 0.0, 0.0, -3.0], dtype)
    small = {"float32": 1e-7, "float16": 1e-3, "bfloat16": 1e-2, "float64": 2e-16}[dtype]
    factor = keras.ops.convert_to_tensor([1 + small, 1 + 100 * small, 1, 1, 1], dtype)
    shift = keras.ops.convert_to_tensor([0, 0, 0, 1e-3, 0], dtype)
    found = set_elsewhere(last * factor + shift, last)
    assert keras.ops.convert_to_numpy(found).tolist() == [False, True, False, True, False]
