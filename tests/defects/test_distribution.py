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


def assert_equal_to_one_device(code, *, atol):
    """What the code reports on two replicas equals what it reports on one, by name."""
    one = run_on_replicas(code, replicas=1)
    two = run_on_replicas(code, replicas=2)
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=atol, err_msg=name)


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
    assert_equal_to_one_device(SYNCHRONISED, atol=2e-6)


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
    assert_equal_to_one_device(WRAPPED, atol=5e-6)


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
    assert_equal_to_one_device(SET_BETWEEN_FITS, atol=1e-5)


COMBINED = """
def trained(kind, **settings):
    keras.utils.set_random_seed(0)
    try:
        with strategy.scope():
            inputs = keras.Input((2,))
            model = kind(inputs, keras.layers.Dense(1)(inputs))
            model.compile("sgd", "mse", **settings)
        x = np.ones((16, 2), "float32")
        history = model.fit(x, x[:, :1], batch_size=4, epochs=1, verbose=0, shuffle=False)
        return f"trained {model.jit_compile}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"

cases = {"default": {}, "steps": {"steps_per_execution": 2}, "jit": {"jit_compile": True}}
report(
    plain={name: trained(keras.Model, **case) for name, case in cases.items()},
    ours={name: trained(kr.recipes.RecipeModel, **case) for name, case in cases.items()},
)
"""


@pytest.mark.multi_device
def test_d6_what_cannot_work_on_replicas_is_refused_before_training():
    found = run_on_replicas(COMBINED, replicas=2)
    assert not found["plain"]["steps"].startswith("trained"), "Keras mended D6"
    assert not found["plain"]["jit"].startswith("trained"), "Keras mended D6"
    assert found["ours"]["default"] == "trained False"
    assert found["ours"]["steps"].startswith("InputError: `steps_per_execution` must be 1")
    assert found["ours"]["jit"].startswith("InputError: `jit_compile` must be False")


UNEVEN = """
import warnings
rng = np.random.default_rng(0)
BATCH = 8

def fit(model, x, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(x, y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0)
    return {
        "weights": [v for w in model.get_weights() for v in w.ravel().tolist()],
        "loss": history.history["loss"],
        "warned": [str(each.message) for each in caught if "left out" in str(each.message)],
    }

def ours():
    keras.utils.set_random_seed(0)
    return kr.recipes.mlp((3,), kr.targets.Binary(), hidden=(4,), dropout=0.0, seed=0,
                          optimizer={"name": "sgd", "momentum": 0.0}, strategy=strategy)

def plain():
    keras.utils.set_random_seed(0)
    scope = strategy.scope() if strategy else tf.distribute.get_strategy().scope()
    with scope:
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4),
                                  keras.layers.BatchNormalization(), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.1), "mse")
    return model

found = {}
model = ours()
begin = model.get_weights()  # and the optimizer remembers nothing: all sizes share a trace
for rows in SIZES:
    model.set_weights(begin)
    x = rng.normal(size=(rows, 3)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    kept = rows - rows % BATCH % 4  # what four replicas keep
    cut = slice(0, kept if strategy is None else rows)
    found[rows] = fit(model, x[cut], y[cut])
    if rows == 17:
        found["plain"] = fit(plain(), x, y)
report(**{str(rows): values for rows, values in found.items()})
"""


@pytest.mark.multi_device
@pytest.mark.slow
def test_d3_d4_uneven_data_of_every_size_trains_like_one_device():
    sizes = [5, *range(8, 16), 17, 24]  # every remainder, and no, one or more whole batches
    code = UNEVEN.replace("SIZES", repr(sizes))
    one = run_on_replicas(code, replicas=1)
    four = run_on_replicas(code, replicas=4, timeout=400)
    plain = np.array(four["plain"]["weights"], "float64")
    off = np.abs(plain - one["plain"]["weights"]).max()
    assert np.isnan(plain).any() or off > 1e-3, "Keras mended D3 and D4"
    for rows in sizes:
        found, expected = four[str(rows)], one[str(rows)]
        for part in ("weights", "loss"):
            np.testing.assert_allclose(found[part], expected[part], rtol=2e-6, atol=2e-6)
        dropped = rows % 8 % 4
        begin = f"{dropped} of the {rows} rows are left out of each epoch"
        assert [each.startswith(begin) for each in found["warned"]] == [True] * bool(dropped)


MASKS = """
def draws(kind):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        inputs = keras.Input((64,))
        same = keras.layers.Dense(64, kernel_initializer="identity")(inputs)
        model = kind(inputs, keras.layers.Dropout(0.5, seed=1)(same))
        model.compile(keras.optimizers.SGD(1e-6), "mse")
    x = np.ones((8, 64), "float32")
    model.fit(x, x, batch_size=8, verbose=0, shuffle=False)
    run = tf.function(lambda: strategy.run(lambda: model(tf.ones((2, 64)), training=True)))
    outputs = [np.asarray(each) for each in strategy.experimental_local_results(run())]
    return [(each != 0).astype(int).tolist() for each in outputs]

report(
    plain=draws(keras.Model),
    ours=draws(kr.recipes.RecipeModel),
    again=draws(kr.recipes.RecipeModel),
)
"""


@pytest.mark.multi_device
def test_d7_dropout_masks_differ_between_replicas_and_repeat_with_the_seed():
    found = run_on_replicas(MASKS, replicas=2)
    first, second = found["plain"]
    assert first == second, "Keras mended D7"
    first, second = found["ours"]
    share = np.mean(np.array(first) == np.array(second))
    assert 0.3 < share < 0.7, "two independent masks of rate 0.5 agree in half of the places"
    assert found["again"] == found["ours"]
    assert first == found["plain"][0], "the first replica draws as one device does"


MASKED = """
from tests import equality_program

def trained(kind):
    original = kr.recipes.RecipeModel
    kr.recipes.RecipeModel = kind
    try:
        return equality_program.run(strategy, names=["masks"])["masks"]["history"]["loss"]
    finally:
        kr.recipes.RecipeModel = original

report(ours=trained(kr.recipes.RecipeModel), plain=trained(keras.Model))
"""


@pytest.mark.multi_device
def test_d8_a_masked_loss_is_a_mean_over_the_steps_of_all_replicas():
    one = run_on_replicas(MASKED, replicas=1)
    two = run_on_replicas(MASKED, replicas=2)
    assert one["ours"] == one["plain"]
    off = np.abs(np.array(two["plain"]) / one["plain"] - 1).max()
    assert off > 1e-2, "Keras mended D8"
    np.testing.assert_allclose(two["ours"], one["ours"], rtol=2e-6)
