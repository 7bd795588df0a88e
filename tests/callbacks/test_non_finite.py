"""NonFinite: data with a NaN in a known batch, against training without that batch."""

import keras
import numpy as np
import pytest

from kerasrecipes import optimizers, recipes, schedules
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks.non_finite import NonFinite
from kerasrecipes.callbacks.weight_averaging import WeightAveraging
from tests.harness import representative
from tests.replicas import run_on_replicas

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 4)).astype("float32")
Y = (X @ RNG.normal(size=(4, 2))).astype("float32")
BATCH = 8


def spoilt(*batches):
    x = X.copy()
    for batch in batches:
        x[batch * BATCH + 3, 1] = np.nan
    return x


def without(*batches):
    kept = np.repeat(~np.isin(np.arange(6), batches), BATCH)
    return X[kept], Y[kept]


def build(optimizer=None, **compile_arguments):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(6, activation="tanh")(inputs)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    model = recipes.RecipeModel(inputs, keras.layers.Dense(2)(x))
    optimizer = optimizer or optimizers.Adam(0.02)
    model.compile(optimizer, "mse", jit_compile=False, **compile_arguments)
    return model


def fit(model, use=(), x=X, y=Y, **arguments):
    defaults = {"batch_size": BATCH, "epochs": 1, "shuffle": False, "verbose": 0}
    return model.fit(x, y, callbacks=list(use), **{**defaults, **arguments}).history


def assert_same(one, two, **tolerance):
    pairs = zip(one.get_weights(), two.get_weights(), strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a, b, **{"rtol": 1e-6, "atol": 1e-7, **tolerance})


MAKERS = {
    "adam": lambda **kw: optimizers.Adam(0.02, **kw),
    "clipped": lambda **kw: optimizers.AdamW(0.02, global_clipnorm="auto", **kw),
    "nadam": lambda **kw: optimizers.Nadam(0.02, **kw),
    "schedule_free": lambda **kw: optimizers.ScheduleFreeAdamW(0.02, **kw),
    "tracked": lambda **kw: optimizers.SGD(0.05, track_updates=True, **kw),
    "accumulated": lambda **kw: optimizers.Adam(0.02, gradient_accumulation_steps=2, **kw),
}


@pytest.mark.parametrize("name", representative(MAKERS, "clipped", "schedule_free", "accumulated"))
def test_skipped_batches_leave_no_trace(name):
    guarded, clean = build(MAKERS[name]()), build(MAKERS[name]())
    history = fit(guarded, [NonFinite("skip")], spoilt(0, 3), epochs=2)
    fit(clean, x=without(0, 3)[0], y=without(0, 3)[1], epochs=2)
    assert history["skipped_updates"] == [2, 2]
    assert_same(guarded, clean)
    for a, b in zip(guarded.optimizer.variables, clean.optimizer.variables, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7, err_msg=a.path)
    assert guarded.optimizer.hooks == ()


def test_nothing_changes_when_all_is_finite():
    guarded, plain = build(), build()
    history = fit(guarded, [NonFinite("skip")], epochs=2)
    fit(plain, epochs=2)
    assert history["skipped_updates"] == [0, 0]
    for a, b in zip(guarded.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_infinite_gradient_is_skipped_too():
    y = Y.copy()
    y[2] = 3e38
    guarded, clean = build(), build()
    fit(guarded, [NonFinite("skip")], y=y)
    fit(clean, x=X[BATCH:], y=Y[BATCH:])
    for a, b in zip(guarded.trainable_weights, clean.trainable_weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_too_many_skips_in_a_row_stop():
    guard, model = NonFinite("skip", max_skips=2), build()
    history = fit(model, [guard], spoilt(1, 3, 4, 5), epochs=3)
    assert len(history["loss"]) == 1
    assert (guard.stopped_epoch, guard.reason) == (0, "2 gradients in a row were not finite")
    reference = build()
    fit(reference, x=X[np.r_[0:8, 16:24]], y=Y[np.r_[0:8, 16:24]])
    assert_same(model, reference)


SEVERAL_STEPS = {"steps_per_execution": 3}


@pytest.mark.parametrize("arguments", representative([{}, SEVERAL_STEPS], SEVERAL_STEPS))
def test_stop_leaves_the_weights_before_the_first_bad_batch(arguments):
    guard, model, reference = NonFinite(), build(**arguments), build()
    history = fit(model, [guard], spoilt(2), epochs=3)
    fit(reference, x=X[: 2 * BATCH], y=Y[: 2 * BATCH])
    assert len(history["loss"]) == 1
    assert (guard.stopped_epoch, guard.reason) == (0, "the loss or a gradient was not finite")
    assert_same(model, reference)


def test_stop_looks_every_so_many_batches():
    class Count(keras.callbacks.Callback):
        batches = 0

        def on_train_batch_begin(self, batch, logs=None):
            self.batches += 1

    count = Count()
    fit(build(), [NonFinite(check_every=2), count], spoilt(0))
    assert count.batches == 3


@pytest.mark.parametrize("check_every", representative([2, 100], 100))
def test_a_plain_optimizer_stops_by_the_loss(check_every):
    guard = NonFinite(check_every=check_every)
    history = fit(build(keras.optimizers.Adam()), [guard], spoilt(0), epochs=3)
    assert len(history["loss"]) == 1
    assert guard.stopped_epoch == 0


class Poison(keras.callbacks.Callback):
    """Makes the rate infinite in some epochs; so nothing but the optimizer is to blame."""

    def __init__(self, *epochs):
        super().__init__()
        self.epochs, self.starts = epochs, []

    def on_epoch_begin(self, epoch, logs=None):
        self.starts.append(self.model.get_weights())
        if epoch in self.epochs:
            self.model.layers[1].kernel.assign(self.model.layers[1].kernel * np.nan)


@pytest.mark.parametrize(
    "make", representative([optimizers.SGD, keras.optimizers.SGD], optimizers.SGD)
)
def test_rollback_restores_the_epoch_and_cuts_the_rate(make):
    model, poison = build(make(0.1)), Poison(1)
    guard = NonFinite("rollback", factor=0.25)
    fit(model, [guard, poison], epochs=3)
    assert guard.rollbacks == 1
    assert float(model.optimizer.learning_rate) == pytest.approx(0.025)
    for a, b in zip(poison.starts[1], poison.starts[2], strict=True):
        np.testing.assert_array_equal(a, b)
    reference = build(make(0.1))
    fit(reference)
    reference.optimizer.learning_rate = 0.025
    fit(reference)
    assert_same(model, reference)


def test_rollback_within_an_epoch_goes_on_with_the_next_batch():
    model, guard = build(optimizers.SGD(0.1)), NonFinite("rollback", check_every=3)
    history = fit(model, [guard], spoilt(1))
    reference = build(optimizers.SGD(0.05))
    losses = fit(reference, x=X[3 * BATCH :], y=Y[3 * BATCH :])
    assert_same(model, reference)
    assert history["loss"] == pytest.approx(losses["loss"], rel=1e-6)


def test_rollbacks_are_limited_and_every_cut_counts():
    model = build(optimizers.Adam(schedules.Constant(0.1)))
    guard = NonFinite("rollback", max_rollbacks=2)
    history = fit(model, [guard], spoilt(0), epochs=6)
    assert len(history["loss"]) == 3
    assert guard.rollbacks == 2
    assert guard.reason == "the loss or a gradient was not finite again after 2 rollbacks"
    assert float(model.optimizer.rate_factor) == pytest.approx(0.25)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_it_works_with_weight_averaging():
    model, reference = build(), build()
    fit(model, [WeightAveraging(decay=0.5), NonFinite("skip")], spoilt(2), epochs=2)
    x, y = without(2)
    fit(reference, [WeightAveraging(decay=0.5)], x, y, epochs=2)
    assert_same(model, reference)


def test_averages_go_back_with_the_weights():
    class Spike(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1:
                for weight in self.model.trainable_weights:
                    weight.assign(weight + 1e6)

    model = build()
    average, guard = WeightAveraging(decay=0.5), NonFinite("rollback", check_every=1)
    fit(model, [average, guard, Spike()], spoilt(2))
    assert guard.rollbacks
    assert max(abs(w).max() for w in model.get_weights()) < 100


@pytest.mark.parametrize("action", representative(["stop", "rollback"], "rollback"))
def test_a_plain_optimizer_with_spoilt_weights_and_a_finite_loss_is_noticed(action):
    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["loss"] = 1.0
            weight = self.model.trainable_weights[0]
            weight.assign(weight * np.nan)

    model, guard = build(keras.optimizers.SGD(0.1)), NonFinite(action, max_rollbacks=1)
    before = model.get_weights()
    fit(model, [Spoil(), guard], epochs=4)
    assert guard.stopped_epoch == {"stop": 0, "rollback": 1}[action]
    if action == "rollback":
        for weight, expected in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, expected)


def test_under_loss_scaling_the_loss_tells():
    keras.config.set_dtype_policy("mixed_float16")
    scaled = optimizers.LossScaleOptimizer(optimizers.Adam(0.02), initial_scale=2.0**8)
    model, guard = build(scaled), NonFinite()
    history = fit(model, [guard], spoilt(3), epochs=3)
    assert len(history["loss"]) == 1
    assert guard.stopped_epoch == 0
    assert all(np.isfinite(w).all() for w in model.trainable_weights)


@pytest.mark.parametrize("action", ["skip", "rollback"])
def test_state_goes_on_where_it_was(action):
    x = spoilt(1)

    class Bridge(keras.callbacks.Callback):
        """Saves or loads at the beginning of epoch 2, as Checkpoint does."""

        saved = None

        def __init__(self, guard, *, load):
            super().__init__()
            self.guard, self.load = guard, load

        def on_epoch_begin(self, epoch, logs=None):
            variables = [*self.model.variables, *self.model.optimizer.variables]
            if epoch == 2 and not self.load:
                Bridge.saved = self.guard.state_dict(), [v.numpy() for v in variables]
            elif epoch == 2:
                for variable, value in zip(variables, Bridge.saved[1], strict=True):
                    variable.assign(value)
                self.guard.load_state_dict(Bridge.saved[0])

    guard, whole = NonFinite(action, max_rollbacks=3), build()
    first = fit(whole, [Bridge(guard, load=False), guard], x, epochs=5)
    again, second = NonFinite(action, max_rollbacks=3), build()
    use = [Bridge(again, load=True), again]
    rest = fit(second, use, x, epochs=5, initial_epoch=2)
    assert len(rest["loss"]) == len(first["loss"]) - 2
    assert (again.rollbacks, again.reason) == (guard.rollbacks, guard.reason)
    assert rest.get("skipped_updates") == first.get("skipped_updates", [0, 0] * 3)[2:] or (
        action == "rollback"
    )
    for a, b in zip(second.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"action": "halt"}, "`action`"),
        ({"max_skips": 0}, "`max_skips`"),
        ({"factor": 0.0}, "`factor`"),
        ({"max_rollbacks": 0}, "`max_rollbacks`"),
        ({"check_every": 1.5}, "`check_every`"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        NonFinite(**arguments)


@pytest.mark.parametrize(
    ("action", "optimizer", "message"),
    [
        ("skip", lambda: keras.optimizers.Adam(), "kerasrecipes.optimizers"),
        ("skip", lambda: optimizers.LossScaleOptimizer(optimizers.Adam()), "skips by itself"),
        (
            "rollback",
            lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 9)),
            "cuts the learning rate",
        ),
    ],
)
def test_clashes_are_refused_before_training(action, optimizer, message):
    with pytest.raises(InputError, match=message):
        fit(build(optimizer()), [NonFinite(action)])


REPLICAS = """
from contextlib import nullcontext
from kerasrecipes.callbacks.non_finite import NonFinite
rng = np.random.default_rng(0)
x = rng.normal(size=(48, 4)).astype("float32")
y = x[:, :2].copy()
x[9, 0] = np.nan  # on one replica only
found = {}
for action in ("skip", "stop", "rollback"):
    with strategy.scope() if strategy else nullcontext():
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(synchronized=True)]
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(2)])
        optimizer = kr.optimizers.SGD(0.1, gradient_accumulation_steps=2, global_clipnorm=1.0)
        model.compile(optimizer, "mse", jit_compile=False)
    guard = NonFinite(action, check_every=2)
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=[guard])
    found[action] = [w.ravel().tolist() for w in model.get_weights()]
    found[action].append([guard.rollbacks, int(model.optimizer.iterations)])
report(**found)
"""


@pytest.mark.multi_device
def test_replicas_decide_like_one():
    one, two = (run_on_replicas(REPLICAS, replicas=n) for n in (1, 2))
    for action in ("skip", "stop", "rollback"):
        for a, b in zip(one[action], two[action], strict=True):
            assert np.isfinite(b).all()
            np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5, err_msg=action)
