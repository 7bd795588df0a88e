"""Decay exclusion, schedules bound to the fit, and the plateau factor."""

import keras
import numpy as np
import pytest

from kerasrecipes import callbacks, optimizers, schedules
from kerasrecipes._checks import InputError
from kerasrecipes.optimizers.decay import NOT_DECAYED, is_decayed

X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")


def block_model(optimizer):
    layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(optimizer, "mse")
    return model


def decayed(model):
    """Trains on zero gradients, and returns the paths of the weights that decay moved."""
    model.optimizer.build(model.trainable_variables)
    for weight in model.trainable_variables:
        weight.assign(keras.ops.ones(weight.shape))
    zeros = [keras.ops.zeros(weight.shape) for weight in model.trainable_variables]
    model.optimizer.apply(zeros)
    return [w.path.split("/")[-1] for w in model.trainable_variables if w.numpy().min() < 1]


def test_decay_spares_biases_and_normalisations_also_after_loading(tmp_path):
    model = block_model(optimizers.AdamW(0.1, weight_decay=0.5))
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    assert decayed(keras.saving.load_model(tmp_path / "model.keras")) == ["kernel", "kernel"]
    assert decayed(model) == ["kernel", "kernel"]


def test_decay_exclusion_matches_the_path():
    model = block_model(optimizers.AdamW(0.1, exclude_from_decay=["batch_normalization", "bias"]))
    assert decayed(model) == ["kernel", "kernel"]
    everything = block_model(optimizers.AdamW(0.1, exclude_from_decay=[]))
    assert len(decayed(everything)) == 6


def test_patterns_leave_kernels_alone():
    variables = [
        keras.Variable([0.0], name=name)
        for name in ("kernel", "embeddings", "bias", "gamma", "beta", "recurrent_kernel", "scale")
    ]
    found = {v.name for v in variables if not is_decayed(v, NOT_DECAYED)}
    assert found == {"bias", "gamma", "beta", "scale"}


def test_rate_is_schedule_times_factor():
    optimizer = optimizers.SGD(schedules.get({"name": "cosine", "total": 10}, 0.5))
    assert float(optimizer.learning_rate) == pytest.approx(0.5)
    optimizer.build([keras.Variable([1.0])])
    optimizer.rate_factor.assign(0.1)
    optimizer.iterations.assign(5)
    assert float(optimizer.learning_rate) == pytest.approx(0.025)


def test_relative_schedule_is_bound_by_the_fit_without_retracing():
    optimizer = optimizers.SGD(schedules.get("cosine", 0.5))
    variable = keras.Variable([1.0])
    with pytest.raises(InputError, match="length of Cosine is not known"):
        _ = optimizer.learning_rate
    with pytest.raises(InputError, match="needs a built optimizer"):
        optimizer.bind_fit(epoch=0, steps=8, steps_per_epoch=4)
    optimizer.build([variable])
    optimizer.bind_fit(epoch=0, steps=8, steps_per_epoch=4)
    optimizer.iterations.assign(4)
    assert float(optimizer.learning_rate) == pytest.approx(0.25)
    optimizer.bind_fit(epoch=0, steps=100, steps_per_epoch=4)
    assert float(optimizer.learning_rate) == pytest.approx(0.5)


def test_plain_rates_stay_settable():
    optimizer = optimizers.Adam(0.5)
    optimizer.learning_rate = 0.125
    assert float(optimizer.learning_rate) == 0.125
    optimizer.learning_rate = schedules.get({"name": "cosine", "total": 4}, 1.0)
    assert float(optimizer.learning_rate) == 1.0


def test_clipping_bounds_the_update():
    optimizer = optimizers.SGD(1.0, momentum=0.0, global_clipnorm=0.5)
    variables = [keras.Variable(np.zeros(3)), keras.Variable(np.zeros(2))]
    optimizer.apply([keras.ops.ones(3) * 9, keras.ops.ones(2) * 9], variables)
    moved = np.concatenate([v.numpy() for v in variables])
    assert np.linalg.norm(moved) == pytest.approx(0.5, rel=1e-6)


def test_embedding_gradients_are_clipped():
    model = keras.Sequential([keras.Input((2,), dtype="int32"), keras.layers.Embedding(5, 3)])
    model.compile(optimizers.SGD(1.0, momentum=0.0, global_clipnorm=1e-3), "mse")
    before = model.get_weights()[0]
    model.fit(np.array([[0, 4]]), np.ones((1, 2, 3)), verbose=0)
    assert np.linalg.norm(model.get_weights()[0] - before) == pytest.approx(1e-3, rel=1e-3)


def test_user_exclusions_add_to_the_patterns():
    model = block_model(optimizers.AdamW(0.1, weight_decay=0.5))
    model.optimizer.exclude_from_weight_decay(var_names=["kernel"])
    assert decayed(model) == []


def test_exclusions_that_come_too_late_are_refused():
    model = block_model(optimizers.AdamW(0.1))
    model.optimizer.build(model.trainable_variables)
    with pytest.raises(InputError, match="Pass `exclude_from_decay`"):
        model.optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_rate_factor_multiplies_keras_schedules_too():
    rate = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)
    optimizer = optimizers.SGD(rate)
    optimizer.build([keras.Variable([1.0])])
    optimizer.rate_factor.assign(0.1)
    assert float(optimizer.learning_rate) == pytest.approx(0.05)


def test_a_loaded_model_knows_its_rate(tmp_path):
    model = block_model(optimizers.SGD(schedules.get("cosine", 0.5)))
    model.optimizer.build(model.trainable_variables)
    model.optimizer.bind_fit(epoch=0, steps=8, steps_per_epoch=4)
    model.optimizer.iterations.assign(4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: setattr(o, "learning_rate", 0.1), "Set `rate_factor`"),
        (lambda o: setattr(o, "learning_rate", schedules.Constant(1.0)), "Compile the model again"),
    ],
)
def test_rates_that_would_not_be_used_are_refused(change, message):
    optimizer = optimizers.SGD(schedules.get({"name": "cosine", "total": 4}, 1.0))
    optimizer.apply([keras.ops.ones(1)], [keras.Variable([1.0])])
    with pytest.raises(InputError, match=message):
        change(optimizer)


def test_whole_number_rates():
    assert float(optimizers.SGD(1).learning_rate) == 1.0


def test_a_resumed_fit_goes_on_where_the_schedule_is_when_updates_were_skipped():
    optimizer = optimizers.SGD(schedules.Cosine(1.0))
    optimizer.build([keras.Variable([1.0])])

    def place(epoch, *, steps=100, at=None):
        if at is not None:
            optimizer.iterations.assign(at)
        optimizer.bind_fit(epoch=epoch, steps=steps, steps_per_epoch=10)
        return int(optimizer.iterations) - int(optimizer.fit_start)

    assert place(0, at=7) == 0
    assert place(2, at=7 + 17) == 17  # three batches of the 20 were skipped
    assert place(3, at=7 + 17 + 10) == 27
    assert place(3, at=7 + 17 + 15) == 30  # an epoch that was broken off begins anew
    assert place(3, steps=200) == 30  # another fit
    assert place(0) == 0
    assert place(4, at=0) == 40


def test_skipped_updates_and_a_resume_give_the_rates_of_one_fit():
    def rates(parts):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        inner = optimizers.SGD(schedules.Cosine(0.1))
        model.compile(optimizers.LossScaleOptimizer(inner, initial_scale=8.0), "mse")
        x = X.copy()
        x[40] = np.inf  # one batch in eight overflows
        found = []
        for first, last in parts:
            use = [callbacks.BindSchedule(), callbacks.LearningRateLog()]
            fit = {"batch_size": 8, "shuffle": False, "verbose": 0, "callbacks": use}
            done = model.fit(x, X[:, :1], initial_epoch=first, epochs=6, **fit | last)
            found += done.history["learning_rate"]
        assert int(inner.iterations) == 6 * 7
        return found

    class StopAt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 2

    def stopped(*use):
        return {"callbacks": [callbacks.BindSchedule(), callbacks.LearningRateLog(), *use]}

    whole = rates([(0, {})])
    parts = rates([(0, stopped(StopAt())), (3, stopped())])
    assert parts == pytest.approx(whole, rel=1e-6)


def test_plain_variables_of_a_custom_loop():
    tf = pytest.importorskip("tensorflow")
    settings = {"gradient_accumulation_steps": 2, "rate_multipliers": {"slow": 0.1}}
    for name in ("sgd", "adamw", "muon", "schedule_free_adamw", "nadam"):
        slow, fast = (tf.Variable([1.0, 2.0], name=each) for each in ("slow", "fast"))
        optimizer = optimizers.get(name, learning_rate=0.1, **settings)
        for wrapped in (optimizer, optimizers.Lookahead(optimizer, sync_period=2)):
            for _ in range(2):
                wrapped.apply([tf.ones(2), tf.ones(2)], [slow, fast])
        moved = [1.0 - each.numpy()[0] for each in (slow, fast)]
        assert moved[0] == pytest.approx(0.1 * moved[1], rel=0.05)


def frozen_and_unfrozen():
    model = block_model(optimizers.SGD(0.1, gradient_accumulation_steps=2))
    model.layers[0].trainable = False
    model.compile(model.optimizer, "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.layers[0].trainable = True
    model.compile(model.optimizer, "mse")
    model.fit(X, X[:, :1], verbose=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (frozen_and_unfrozen, "`trainable_variables` must be among.*/kernel'.*compile the model"),
        (lambda: optimizers.Nadam().apply([keras.ops.ones(1)]), "`build"),
        (lambda: optimizers.ScheduleFreeAdamW().apply([keras.ops.ones(1)]), "`build"),
        (lambda: optimizers.Lookahead("adam").apply([keras.ops.ones(1)]), "`build"),
    ],
)
def test_variables_that_are_not_known(call, message):
    with pytest.raises(InputError, match=message):
        call()
