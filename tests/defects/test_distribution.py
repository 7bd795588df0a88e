"""The faults of KERAS-DEFECTS.md, table Distribution: what Keras does, and what ours does."""

import numpy as np
import pytest

from tests.replicas import run_on_replicas

CLIPPED_UPDATE = """
def update_norm(factory, **clipping):
    scope = strategy.scope() if strategy else tf.distribute.get_strategy().scope()
    with scope:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        model.compile(factory(1.0, momentum=0.0, **clipping), "mse")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(16, 4)).astype("float32")
    y = 100 * rng.normal(size=(16, 3)).astype("float32")
    model.set_weights([0.1 * np.ones((4, 3)), np.zeros(3)])
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    after = np.concatenate([w.ravel() for w in model.get_weights()])
    before = np.concatenate([0.1 * np.ones(12), np.zeros(3)])
    return (after - before).tolist()

kinds = {
    "global_clipnorm": {"global_clipnorm": 1.0},
    "clipnorm": {"clipnorm": 1.0},
    "clipvalue": {"clipvalue": 0.5},
}
ours = {name: update_norm(kr.optimizers.SGD, **kind) for name, kind in kinds.items()}
ours["adaptive_clip"] = update_norm(kr.optimizers.SGD, adaptive_clip=0.01)
plain = {name: update_norm(keras.optimizers.SGD, **kind) for name, kind in kinds.items()}
report(ours=ours, plain=plain)
"""


@pytest.mark.multi_device
def test_d2_clipping_comes_after_the_all_reduce():
    one = run_on_replicas(CLIPPED_UPDATE, replicas=1)
    four = run_on_replicas(CLIPPED_UPDATE, replicas=4)
    assert np.linalg.norm(four["plain"]["global_clipnorm"]) > 1.5, "Keras mended D2"
    for kind, update in four["ours"].items():
        np.testing.assert_allclose(update, one["ours"][kind], atol=1e-6, err_msg=kind)
    assert np.linalg.norm(four["ours"]["global_clipnorm"]) == pytest.approx(1.0, rel=1e-5)


SCHEDULED = """
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 5)).astype("float32")
y = (x[:, 0] > 0).astype("int32")
model = kr.recipes.mlp(
    (5,), kr.targets.Binary(), hidden=(8,), dropout=0.0, strategy=strategy, seed=0,
    optimizer="adamw", schedule={"name": "cosine", "warmup": "1 epochs"}, learning_rate=0.05,
)
log = [kr.callbacks.LearningRateLog()]
fit = {"batch_size": 32, "shuffle": False, "verbose": 0, "callbacks": log}
first = model.fit(x, y, epochs=3, **fit).history
second = model.fit(x, y, epochs=4, initial_epoch=3, **fit).history
report(rates=first["learning_rate"] + second["learning_rate"], loss=first["loss"] + second["loss"])
"""


@pytest.mark.multi_device
def test_schedules_take_their_length_from_the_fit_on_replicas_too():
    one = run_on_replicas(SCHEDULED, replicas=1)
    two = run_on_replicas(SCHEDULED, replicas=2)
    np.testing.assert_allclose(two["rates"], one["rates"], atol=1e-8)
    np.testing.assert_allclose(two["loss"], one["loss"], atol=1e-5)


SYNCHRONISED = """
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 5)).astype("float32")
y = (x[:, 0] > 0).astype("int32")
model = kr.recipes.mlp(
    (5,), kr.targets.Binary(), hidden=(8, 8), dropout=0.0, strategy=strategy, seed=0,
    optimizer="sgd",
)
history = model.fit(x, y, batch_size=32, epochs=3, shuffle=False, verbose=0).history
weights = np.concatenate([w.ravel() for w in model.get_weights()]).tolist()
report(weights=weights, loss=history["loss"], predictions=model.predict(x, verbose=0).tolist())
"""


@pytest.mark.multi_device
def test_d3_recipes_synchronise_batch_normalisation():
    one = run_on_replicas(SYNCHRONISED, replicas=1)
    two = run_on_replicas(SYNCHRONISED, replicas=2)
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=2e-6, err_msg=name)


OVERFLOW = """
def trained(factory):
    scope = strategy.scope() if strategy else tf.distribute.get_strategy().scope()
    with scope:
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
        inner = keras.optimizers.SGD(0.1)
        model.compile(factory(inner, initial_scale=4.0), "mse")
    x = np.ones((8, 2), "float32")
    y = np.ones((8, 1), "float32")
    x[-1] = 3e38  # on the last replica, the prediction is infinite
    model.set_weights([np.ones((2, 1))])
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    weights = model.get_weights()[0].ravel()
    scale = float(model.optimizer.dynamic_scale.numpy())
    return np.isfinite(weights).all().item(), weights.tolist(), scale

report(**{
    "ours": trained(kr.optimizers.LossScaleOptimizer),
    "plain": trained(keras.optimizers.LossScaleOptimizer),
})
"""


@pytest.mark.multi_device
def test_d5_an_overflow_on_any_replica_skips_the_update_everywhere():
    found = run_on_replicas(OVERFLOW, replicas=2)
    assert not found["plain"][0], "Keras mended D5"
    assert found["ours"] == [True, [1.0, 1.0], 2.0]


ACCUMULATED = """
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 5)).astype("float32")
y = (x[:, 0] > 0).astype("int32")
found = {}
for name in ("sgd", "adamw", "nadam", "schedule_free_adamw"):
    optimizer = {"name": name, "gradient_accumulation_steps": 2, "track_updates": True}
    model = kr.recipes.mlp(
        (5,), kr.targets.Binary(), hidden=(8,), dropout=0.0, normalization=None, seed=0,
        strategy=strategy, optimizer=optimizer, learning_rate=0.01, clip_norm=0.3,
        schedule="one_cycle" if name != "schedule_free_adamw" else None,
    )
    log = [kr.callbacks.LearningRateLog(), kr.callbacks.GradientLog()]
    fit = {"batch_size": 16, "epochs": 3, "shuffle": False, "verbose": 0, "callbacks": log}
    history = model.fit(x, y, **fit).history
    weights = np.concatenate([w.ravel() for w in model.get_weights()]).tolist()
    found[name] = {**history, "weights": weights, "updates": int(model.optimizer.iterations)}
report(**found)
"""


@pytest.mark.multi_device
def test_d6_accumulation_under_replicas_equals_one_device():
    one = run_on_replicas(ACCUMULATED, replicas=1)
    two = run_on_replicas(ACCUMULATED, replicas=2)
    for name, values in one.items():
        assert values["updates"] == two[name]["updates"] == 6
        for key, value in values.items():
            np.testing.assert_allclose(two[name][key], value, atol=1e-5, err_msg=f"{name} {key}")


WRAPPED = """
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 5)).astype("float32")
y = (x[:, 0] > 0).astype("int32")
found = {}
for name, more in (("lookahead", {"sync_period": 2}), ("sam", {"rho": 0.2})):
    model = kr.recipes.mlp(
        (5,), kr.targets.Binary(), hidden=(8,), dropout=0.0, seed=0, strategy=strategy,
        optimizer={"name": name, "inner_optimizer": "adam", **more}, learning_rate=0.01,
    )
    model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    found[name] = np.concatenate([w.ravel() for w in model.get_weights()]).tolist()
report(**found)
"""


@pytest.mark.multi_device
def test_wrappers_under_replicas_equal_one_device():
    one = run_on_replicas(WRAPPED, replicas=1)
    two = run_on_replicas(WRAPPED, replicas=2)
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=5e-6, err_msg=name)


OVERWRITTEN = """
def trained(factory):
    scope = strategy.scope() if strategy else tf.distribute.get_strategy().scope()
    with scope:
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
        model.compile(factory(0.1, use_ema=True, ema_overwrite_frequency=2), "mse")
    try:
        model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=2, verbose=0)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

report(ours=trained(kr.optimizers.Adam), plain=trained(keras.optimizers.Adam))
"""


@pytest.mark.multi_device
def test_d6_overwriting_with_the_average_is_refused_under_replicas():
    one = run_on_replicas(OVERWRITTEN, replicas=1)
    assert one["ours"] is None
    two = run_on_replicas(OVERWRITTEN, replicas=2)
    assert two["plain"].startswith("RuntimeError"), "Keras mended D6"
    assert two["ours"].startswith("InputError: `ema_overwrite_frequency` must be None under")


SET_BETWEEN_FITS = """
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 5)).astype("float32")
y = (x[:, 0] > 0).astype("int32")
found = {}
for name in ("lookahead", "schedule_free_adamw"):
    inner = {"inner_optimizer": "sgd"} if name == "lookahead" else {}
    model = kr.recipes.mlp(
        (5,), kr.targets.Binary(), hidden=(8,), dropout=0.0, normalization=None, seed=0,
        strategy=strategy, optimizer={"name": name, **inner}, learning_rate=0.05,
    )
    for _ in range(2):
        model.set_weights([np.full(w.shape, 0.1, "float32") for w in model.get_weights()])
        model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    model.train_on_batch(x[:16], y[:16, None])
    found[name] = np.concatenate([w.ravel() for w in model.get_weights()]).tolist()
report(**found)
"""


@pytest.mark.multi_device
def test_weights_set_by_others_are_noticed_under_replicas_too():
    one = run_on_replicas(SET_BETWEEN_FITS, replicas=1)
    two = run_on_replicas(SET_BETWEEN_FITS, replicas=2)
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=1e-5, err_msg=name)
