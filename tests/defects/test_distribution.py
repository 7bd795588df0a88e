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
