"""SpikeGuard against its rule written in NumPy, and in fits."""

import keras
import numpy as np
import pytest

from kerasrecipes import optimizers, recipes
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks._guards import NormGuard
from kerasrecipes.callbacks.non_finite import NonFinite
from kerasrecipes.callbacks.spike_guard import SpikeGuard
from tests.harness import representative
from tests.replicas import run_on_replicas

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 4)).astype("float32")
Y = (X @ RNG.normal(size=(4, 2))).astype("float32")


def build(optimizer=None, **compile_arguments):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(6, activation="tanh")(inputs)
    model = recipes.RecipeModel(inputs, keras.layers.Dense(2)(x))
    model.compile(optimizer or optimizers.Adam(0.02), "mse", jit_compile=False, **compile_arguments)
    return model


def fit(model, use=(), x=X, y=Y, **arguments):
    defaults = {"batch_size": 8, "epochs": 1, "shuffle": False, "verbose": 0}
    return model.fit(x, y, callbacks=list(use), **{**defaults, **arguments}).history


def spiky(*batches, size=1e4):
    y = Y.copy()
    for batch in batches:
        y[8 * batch : 8 * batch + 8] *= size
    return y


def rule(norms, *, factor, percentile, warmup_updates, max_skips, then):
    """Which of the norms are admitted."""
    history, row, answers = [], 0, []
    for norm in norms:
        known = len(history) >= warmup_updates
        usual = not known or norm <= factor * np.percentile(history[-500:], percentile)
        if then == "stop":
            admitted = usual and row < max_skips
        else:
            enough = row >= max_skips and np.isfinite(norm)
            admitted = usual or enough
            history = [] if enough and not usual else history
        if admitted and np.isfinite(norm):
            history.append(norm)
        row = 0 if admitted else row + 1
        answers.append(bool(admitted))
    return answers


SETTINGS = {
    "median": {"factor": 3.0, "percentile": 50.0, "max_skips": 3, "then": "accept"},
    "percentile": {"factor": 1.5, "percentile": 90.0, "max_skips": 2, "then": "accept"},
    "stop": {"factor": 3.0, "percentile": 50.0, "max_skips": 2, "then": "stop"},
}


@pytest.mark.parametrize("name", representative(SETTINGS, "percentile", "stop"))
def test_decisions_equal_the_rule_in_numpy(name):
    norms = np.exp(RNG.normal(size=120)).astype("float32")
    norms[[5, 40, 41, 42, 43, 44, 45, 80]] *= 50
    norms[60] = np.nan
    settings = {**SETTINGS[name], "warmup_updates": 10}
    guard = NormGuard(build(), **settings)
    found = []
    for norm in norms:
        guard.judge([keras.ops.convert_to_tensor(np.float32([0.6, 0.8]) * norm), None])
        found.append(bool(guard.admitted()))
    expected = rule(norms, **settings)
    assert found == expected
    assert 0 < sum(expected) < len(expected)
    assert int(guard.skipped) == len(expected) - sum(expected)


@pytest.mark.parametrize("steps", representative([1, 4], 4))
def test_a_skipped_spike_leaves_no_trace(steps):
    guarded, clean = build(steps_per_execution=steps), build()
    history = fit(guarded, [SpikeGuard(warmup_updates=4)], y=spiky(6, 9), epochs=2)
    kept = np.repeat(~np.isin(np.arange(12), [6, 9]), 8)
    fit(clean, x=X[kept], y=Y[kept], epochs=2)
    assert history["skipped_spikes"] == [2, 2]
    assert int(guarded.optimizer.iterations) == 20
    pairs = [
        *zip(guarded.get_weights(), clean.get_weights(), strict=True),
        *zip(guarded.optimizer.variables, clean.optimizer.variables, strict=True),
    ]
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    assert guarded.optimizer.hooks == ()


def test_spikes_before_the_warmup_and_below_the_factor_pass():
    guarded, plain = build(), build()
    history = fit(guarded, [SpikeGuard(1e9, warmup_updates=4)], y=spiky(6))
    fit(plain, y=spiky(6))
    assert history["skipped_spikes"] == [0]
    for a, b in zip(guarded.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert fit(build(), [SpikeGuard(warmup_updates=12)], y=spiky(6))["skipped_spikes"] == [0]


def test_stop_ends_the_training():
    guard = SpikeGuard(warmup_updates=4, max_skips=2, then="stop", check_every=3)
    model = build()
    history = fit(model, [guard], y=spiky(6, 7, 8, 9), epochs=3)
    assert len(history["loss"]) == 1
    assert (guard.stopped_epoch, guard.reason) == (0, "2 gradients in a row were spikes")
    reference = build()
    fit(reference, x=X[:48], y=Y[:48])
    for a, b in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_it_works_beside_non_finite():
    x = X.copy()
    x[0, 0] = np.nan
    use = [NonFinite("skip"), SpikeGuard(warmup_updates=4)]
    history = fit(build(), use, x=x, y=spiky(7), epochs=2)
    assert history["skipped_updates"] == [1, 1]
    # after the warm-up a NaN is a spike as well
    assert history["skipped_spikes"] == [1, 2]


def test_state_goes_on_where_it_was():
    class Bridge(keras.callbacks.Callback):
        """Saves or loads at the beginning of epoch 1, as Checkpoint does."""

        saved = None

        def __init__(self, guard, *, load):
            super().__init__()
            self.guard, self.load = guard, load

        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.build(self.model.trainable_variables)
            variables = [*self.model.variables, *self.model.optimizer.variables]
            if epoch == 1 and not self.load:
                Bridge.saved = self.guard.state_dict(), [v.numpy() for v in variables]
            elif epoch == 1:
                for variable, value in zip(variables, Bridge.saved[1], strict=True):
                    variable.assign(value)
                self.guard.load_state_dict(Bridge.saved[0])

    y = spiky(2, 7)
    guard, whole = SpikeGuard(warmup_updates=8, factor=3.0), build()
    first = fit(whole, [Bridge(guard, load=False), guard], y=y, epochs=3)
    again, second = SpikeGuard(warmup_updates=8, factor=3.0), build()
    rest = fit(second, [Bridge(again, load=True), again], y=y, epochs=3, initial_epoch=1)
    assert rest["skipped_spikes"] == first["skipped_spikes"][1:]
    assert any(rest["skipped_spikes"])
    for a, b in zip(second.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor": 1.0}, "`factor`"),
        ({"percentile": 0}, "`percentile`"),
        ({"warmup_updates": 0}, "`warmup_updates`"),
        ({"warmup_updates": 501}, "`warmup_updates`"),
        ({"max_skips": 0}, "`max_skips`"),
        ({"then": "go"}, "`then`"),
        ({"check_every": 0}, "`check_every`"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        SpikeGuard(**arguments)


def test_a_plain_optimizer_is_refused_before_training():
    with pytest.raises(InputError, match="SpikeGuard .*kerasrecipes.optimizers"):
        fit(build(keras.optimizers.Adam()), [SpikeGuard()])


REPLICAS = """
from contextlib import nullcontext
from kerasrecipes.callbacks.spike_guard import SpikeGuard
rng = np.random.default_rng(0)
x = rng.normal(size=(96, 4)).astype("float32")
y = x[:, :2].copy()
y[48:52] *= 1e4  # on one replica only
with strategy.scope() if strategy else nullcontext():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    optimizer = kr.optimizers.Adam(0.02, gradient_accumulation_steps=2)
    model.compile(optimizer, "mse", jit_compile=False)
history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0,
                    callbacks=[SpikeGuard(warmup_updates=4)])
report(weights=[w.ravel().tolist() for w in model.get_weights()],
       skipped=history.history["skipped_spikes"], updates=int(optimizer.iterations))
"""


@pytest.mark.multi_device
def test_replicas_decide_like_one():
    one, two = (run_on_replicas(REPLICAS, replicas=n) for n in (1, 2))
    assert one["skipped"] == two["skipped"] == [1, 1]
    assert one["updates"] == two["updates"] == 11
    for a, b in zip(one["weights"], two["weights"], strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
