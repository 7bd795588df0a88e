"""Hypergradient against its rule written in NumPy, and on problems with a known optimum."""

import functools

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import optimizers, recipes, schedules
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks.hypergradient import Hypergradient
from tests.harness import representative
from tests.replicas import run_on_replicas

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 3))
Y = X @ RNG.normal(size=(3, 1)) + RNG.normal(size=(48, 1))
VALID = RNG.normal(size=(20, 3)), RNG.normal(size=(20, 1))
START = RNG.normal(size=(3, 1))


def linear(optimizer, inputs=3, start=START):
    x = keras.Input((inputs,))
    model = recipes.RecipeModel(x, keras.layers.Dense(1, use_bias=False)(x))
    model.compile(optimizer, "mse", jit_compile=False)
    model.set_weights([start])
    return model


class Record(keras.callbacks.Callback):
    """Notes the rate that each update was made at, and the decay."""

    def __init__(self, adapting):
        super().__init__()
        self.adapting, self.rates, self.decays = adapting, [], []

    def on_train_batch_end(self, batch, logs=None):
        hook = self.adapting._hooks.get("rate")
        self.rates.append(float(hook._rate) if hook else None)
        self.decays.append(self.adapting._decay * self.adapting.decay_factor)


def fit(model, adapting, x=X, y=Y, use=(), **arguments):
    record = Record(adapting)
    given = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0, **arguments}
    history = model.fit(x, y, callbacks=[*use, adapting, record], **given).history
    return record, history


def gradient(w, x, y):
    return 2 * x.T @ (x @ w - y) / len(x)


def cosine(a, b):
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    return float((a * b).sum() / norms) if norms else 0.0


class Sgd:
    def __init__(self, momentum):
        self.momentum, self.v = momentum, 0.0

    def __call__(self, g, rate):
        self.v = self.momentum * self.v - rate * g
        return self.v


class Adam:
    def __init__(self):
        self.m, self.v, self.t = 0.0, 0.0, 0

    def __call__(self, g, rate):
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g**2
        m, v = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
        return -rate * m / (np.sqrt(v) + 1e-8)


def in_numpy(move_of, rate_of, decay, *, beta, decay_beta=0.0, rule="multiplicative", every=1):
    """The documented rules in float64; returns the rate and the decay of each update, and w."""
    w, u, factor, last = START.copy(), np.zeros_like(START), 1.0, None
    rates, decays = [], []
    for step in range(18):
        rows = slice(8 * (step % 6), 8 * (step % 6) + 8)
        g = gradient(w, X[rows], Y[rows])
        if rule == "multiplicative":
            factor *= np.exp(-beta * cosine(g, u))
        elif last:
            rate = rate_of(step) * factor
            factor *= (rate - beta * (g * u).sum() / last) / rate
        if decay_beta and step % every == 0:
            start = 7 * (step // every)
            rows = np.arange(start, start + 7) % 20
            decay *= np.exp(decay_beta * cosine(gradient(w, VALID[0][rows], VALID[1][rows]), w))
        rates.append(rate_of(step) * factor)
        decays.append(decay)
        last = rates[-1]
        kept = w * (1 - last * decay)
        u = move_of(g, last)
        w = kept + u
    return rates, decays, w


CASES = {
    "sgd": (lambda r: optimizers.SGD(r, momentum=0.0), lambda: Sgd(0.0)),
    "momentum": (lambda r: optimizers.SGD(r, momentum=0.9, weight_decay=0.3), lambda: Sgd(0.9)),
    "adamw": (lambda r: optimizers.AdamW(r, weight_decay=0.3), Adam),
}


@pytest.mark.parametrize("rule", ["multiplicative", "additive"])
@pytest.mark.parametrize("name", representative(CASES, "momentum", "adamw"))
def test_the_rate_equals_the_rule_in_numpy(name, rule):
    make, reference = CASES[name]
    beta = 0.1 if rule == "multiplicative" else 1e-3
    model = linear(make(0.02))
    record, history = fit(model, Hypergradient(beta, rule=rule))
    decay = model.optimizer.weight_decay or 0.0
    rates, _, w = in_numpy(reference(), lambda step: 0.02, decay, beta=beta, rule=rule)
    np.testing.assert_allclose(record.rates, rates, rtol=2e-4)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(history["learning_rate"], rates[5::6], rtol=2e-4)
    assert np.ptp(rates) > 0.002


@pytest.mark.parametrize("every", representative([1, 3], 3))
def test_rate_and_decay_equal_the_rules_in_numpy_on_top_of_a_schedule(every):
    model = linear(optimizers.AdamW(schedules.Cosine(0.05), weight_decay=0.3))
    adapting = Hypergradient(0.1, decay_beta=0.2, validation_data=VALID, batch_size=7, every=every)
    record, history = fit(model, adapting, use=[kr.callbacks.BindSchedule()])
    rates, decays, w = in_numpy(
        Adam(),
        lambda step: 0.05 * (1 + np.cos(np.pi * step / 18)) / 2,
        0.3,
        beta=0.1,
        decay_beta=0.2,
        every=every,
    )
    np.testing.assert_allclose(record.rates, rates, rtol=2e-4)
    np.testing.assert_allclose(record.decays, decays, rtol=2e-4)
    np.testing.assert_allclose(history["weight_decay"], decays[5::6], rtol=2e-4)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-3, atol=1e-5)
    assert np.ptp(decays) > 0.05


CURVATURES = np.geomspace(0.05, 2.0, 10)
BEST = 2 / (CURVATURES.min() + CURVATURES.max())


def quadratic(rate, adapting=None, steps=600):
    """Trains f(w) = sum(l w^2) / 2 by gradient descent; returns the rates and the last f."""
    x = np.tile(np.sqrt(len(CURVATURES) / 2) * np.diag(np.sqrt(CURVATURES)), (steps, 1))
    model = linear(optimizers.SGD(rate, momentum=0.0), len(CURVATURES), np.ones((10, 1)))
    adapting = adapting or Hypergradient(0.0, validation_data=None)
    record, _ = fit(model, adapting, x, np.zeros((len(x), 1)), batch_size=10, epochs=1)
    return record.rates, float((CURVATURES * model.get_weights()[0][:, 0] ** 2).sum() / 2)


@pytest.mark.parametrize("start", representative([0.01, 10.0], 10.0))
def test_on_a_quadratic_the_rate_comes_to_the_best_one(start):
    rates, adapted = quadratic(BEST * start, Hypergradient(0.05))
    late = np.array(rates[300:]) / BEST
    assert 0.4 < late.min() < late.max() < 4
    assert 0.6 < np.exp(np.log(late).mean()) < 1.7
    _, untouched = quadratic(BEST * start)
    assert adapted < 1e-12
    assert not untouched < 1e-2  # NaN where it diverges


def orthonormal(rows, seed):
    """Returns inputs with x'x / rows = I."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(rows, 5)))
    return q * np.sqrt(rows)


@pytest.mark.parametrize("start", representative([0.02, 20.0], 20.0))
def test_on_a_ridge_problem_the_decay_comes_to_the_best_one(start):
    """With decay d, descent on the mean square goes to w = 2 b / (2 + d), for x'x / n = I."""
    truth = np.array([1.0, -1.0, 0.5, 0.0, 0.0])[:, None]
    rng = np.random.default_rng(1)
    x, xv = orthonormal(40, 0), orthonormal(200, 1)
    y, yv = x @ truth + 4 * rng.normal(size=(40, 1)), xv @ truth + 4 * rng.normal(size=(200, 1))
    b, bv = x.T @ y / 40, xv.T @ yv / 200
    best = 2 * ((b**2).sum() / (b * bv).sum() - 1)
    assert best > 0.1
    x, y = np.tile(x, (400, 1)), np.tile(y, (400, 1))
    adapting = Hypergradient(0.0, decay_beta=0.05, every=1, validation_data=(xv, yv))
    model = linear(optimizers.SGD(0.02, momentum=0.0, weight_decay=best * start), 5, b)
    record, _ = fit(model, adapting, x, y, batch_size=40, epochs=1)
    np.testing.assert_allclose(record.decays[-1], best, rtol=0.02)
    np.testing.assert_allclose(model.optimizer.weight_decay, best, rtol=0.02)
    np.testing.assert_allclose(model.get_weights()[0], 2 * b / (2 + best), rtol=0.01)


def mlp(optimizer=None, *, dropout=0.2, **compile_arguments):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((3,))
    x = keras.layers.Dense(6, activation="tanh")(inputs)
    x = keras.layers.Dropout(dropout)(keras.layers.BatchNormalization()(x))
    model = recipes.RecipeModel(inputs, keras.layers.Dense(1)(x))
    optimizer = optimizer or optimizers.AdamW(0.01, weight_decay=0.1)
    model.compile(optimizer, "mse", **{"jit_compile": False, **compile_arguments})
    return model


WAYS = {
    "compiled by XLA": {"jit_compile": True},
    "several steps at a time": {"steps_per_execution": 3},
    "eager": {"run_eagerly": True},
}


@functools.cache
def rates_and_decays(way=None):
    model = mlp(dropout=0.0, **WAYS.get(way, {}))  # XLA draws other masks
    history = model.fit(
        X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, validation_data=VALID,
        callbacks=[Hypergradient(0.1, decay_beta=0.1, every=2)],
    ).history  # fmt: skip
    return [history["learning_rate"], history["weight_decay"]]


@pytest.mark.parametrize("way", representative(WAYS, "several steps at a time"))
def test_every_way_to_run_the_step_gives_the_same(way):
    found = [rates_and_decays(), rates_and_decays(way)]
    np.testing.assert_allclose(*found, rtol=1e-3)
    assert abs(np.log(found[0][0][-1] / 0.01)) > 0.05


def test_it_leaves_training_alone_but_for_the_rate_and_the_decay():
    """With steps of 0 for both, a look at validation rows changes no weight and no statistic."""
    touched, plain = mlp(), mlp()
    tiny = Hypergradient(1e-12, decay_beta=1e-12, every=1)
    given = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    given["validation_data"] = VALID
    touched.fit(X, Y, callbacks=[tiny], **given)
    plain.fit(X, Y, **given)
    for a, b in zip(touched.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert touched.optimizer.hooks == ()


def test_the_next_fit_goes_on_at_the_rate_and_the_decay(tmp_path):
    model, adapting = mlp(), Hypergradient(0.1, decay_beta=0.1, every=1, validation_data=VALID)
    _, history = fit(model, adapting)
    rate, decay = history["learning_rate"][-1], history["weight_decay"][-1]
    assert float(model.optimizer.learning_rate) == pytest.approx(rate)
    assert model.optimizer.weight_decay == pytest.approx(decay)
    assert (adapting.rate_factor, adapting.decay_factor) == (
        pytest.approx(rate / 0.01),
        pytest.approx(decay / 0.1),
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.optimizer.learning_rate) == pytest.approx(rate)
    assert loaded.optimizer.weight_decay == pytest.approx(decay)
    scheduled = mlp(optimizers.AdamW(schedules.Constant(0.01), weight_decay=0.1))
    _, history = fit(scheduled, Hypergradient(0.1))
    factor = float(scheduled.optimizer.rate_factor)
    assert 0.01 * factor == pytest.approx(history["learning_rate"][-1])
    assert factor != pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("scheduled", representative([False, True], True))
def test_cuts_multiply_the_rate_too(scheduled):
    rate = schedules.Constant(0.01) if scheduled else 0.01
    plateau = kr.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1e9, factor=0.5)
    adapting, model = Hypergradient(0.1, limits=(0.9, 1.1)), mlp(optimizers.AdamW(rate))
    _, history = fit(model, adapting, use=[plateau], epochs=4)
    cuts = 0.5 ** np.arange(4)
    assert all(0.899 < factor < 1.101 for factor in history["learning_rate"] / cuts / 0.01)
    assert not np.allclose(history["learning_rate"] / cuts, 0.01, rtol=0.02)
    last = history["learning_rate"][-1]
    assert float(model.optimizer.learning_rate) == pytest.approx(last)


class Kill(keras.callbacks.Callback):
    """Ends a fit after two epochs, as if it were killed."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_checkpoint_goes_on_with_it(tmp_path):
    def train(folder, *more):
        rate = schedules.Constant(0.01)
        model = mlp(optimizers.AdamW(rate, weight_decay=0.1))
        save = kr.callbacks.Checkpoint(tmp_path / folder)
        adapting = Hypergradient(0.1, decay_beta=0.1, every=1)
        data = kr.data.batches(X, Y, batch_size=8, seed=0)
        history = model.fit(
            data, epochs=4, shuffle=False, verbose=0, validation_data=VALID,
            callbacks=[save, kr.callbacks.EpochOrder(), adapting, *more],
        )  # fmt: skip
        return model, history.history

    whole, expected = train("whole")
    with pytest.raises(KeyboardInterrupt):
        train("parts", Kill())
    model, found = train("parts")
    for name in ("learning_rate", "weight_decay", "loss"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5)
    for a, b in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_batches_that_are_left_out_change_nothing():
    x = np.concatenate([X[:24], np.full((8, 3), np.nan), X[24:]])
    y = np.concatenate([Y[:24], np.zeros((8, 1)), Y[24:]])
    found = []
    for rows, more in (((x, y), [kr.callbacks.NonFinite("skip")]), ((X, Y), [])):
        model = linear(optimizers.AdamW(0.01, weight_decay=0.1))
        adapting = Hypergradient(0.1, decay_beta=0.1, every=1, validation_data=VALID)
        _, history = fit(model, adapting, *rows, use=more, epochs=2)
        found.append([history["learning_rate"], history["weight_decay"]])
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_with_accumulation_every_batch_counts():
    optimizer = optimizers.SGD(0.02, momentum=0.0, gradient_accumulation_steps=2)
    record, _ = fit(linear(optimizer), Hypergradient(0.1))
    w, u, factor, rates, total = START.copy(), np.zeros_like(START), 1.0, [], 0.0
    for step in range(18):
        rows = slice(8 * (step % 6), 8 * (step % 6) + 8)
        g = gradient(w, X[rows], Y[rows])
        factor *= np.exp(-0.1 * cosine(g, u))
        rates.append(0.02 * factor)
        total = total + g / 2
        if step % 2:
            u, total = -rates[-1] * total, 0.0
            w = w + u
    np.testing.assert_allclose(record.rates, rates, rtol=2e-4)


@pytest.mark.parametrize(
    "wrapper", representative([optimizers.Lookahead, optimizers.SAM], optimizers.SAM)
)
def test_it_works_inside_wrappers(wrapper):
    _, history = fit(mlp(wrapper(optimizers.AdamW(0.001))), Hypergradient(0.05))
    assert history["learning_rate"][-1] > 0.0012


def test_the_limits_hold():
    adapting = Hypergradient(5.0, decay_beta=5.0, every=1, validation_data=VALID, limits=(0.5, 2))
    record, _ = fit(mlp(), adapting)
    assert 0.00499 <= min(record.rates) <= max(record.rates) == pytest.approx(0.02)
    assert 0.0499 <= min(record.decays) <= max(record.decays) == pytest.approx(0.2)


def test_the_penalty_of_the_model_is_no_part_of_the_validation_loss():
    decays = []
    for penalty in (0.0, 10.0):
        x = keras.Input((3,))
        layer = keras.layers.Dense(
            1, use_bias=False, kernel_regularizer=keras.regularizers.L2(penalty)
        )
        model = recipes.RecipeModel(x, layer(x))
        model.compile(
            optimizers.SGD(1e-9, momentum=0.0, weight_decay=0.1), "mse", jit_compile=False
        )
        model.set_weights([START])
        adapting = Hypergradient(0.0, decay_beta=0.1, every=1, validation_data=VALID)
        decays.append(fit(model, adapting)[0].decays)
    np.testing.assert_allclose(*decays, rtol=1e-5)
    assert abs(decays[0][-1] - 0.1) > 0.001


REPLICAS = """
rng = np.random.default_rng(0)
x, xv = rng.normal(size=(48, 3)).astype("float32"), rng.normal(size=(20, 3)).astype("float32")
y, yv = x[:, :1] * 2, xv[:, :1]
import contextlib
with strategy.scope() if strategy else contextlib.nullcontext():
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(4, "tanh", kernel_regularizer="l2")
    model = keras.Sequential([keras.Input((3,)), hidden, keras.layers.Dense(1)])
    model.compile(kr.optimizers.AdamW(0.01, weight_decay=0.1), "mse")
adapting = kr.callbacks.Hypergradient(0.1, decay_beta=0.1, every=2, validation_data=(xv, yv))
hooks = {}
class Look(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        factors = [hook.factor.value for hook in adapting._hooks.values()]
        hooks["same"] = [[float(v) for v in getattr(f, "values", [f])] for f in factors]
fit = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
history = model.fit(x, y, **fit, callbacks=[adapting, Look()]).history
report(rate=history["learning_rate"], decay=history["weight_decay"], **hooks)
"""


@pytest.mark.multi_device
def test_replicas_turn_the_rate_and_the_decay_as_one():
    one, two = (run_on_replicas(REPLICAS, replicas=n) for n in (1, 2))
    np.testing.assert_allclose(two["rate"], one["rate"], rtol=1e-3)
    np.testing.assert_allclose(two["decay"], one["decay"], rtol=1e-3)
    assert [len(values) for values in two["same"]] == [2, 2]
    assert all(len(set(values)) == 1 for values in two["same"])
    assert abs(np.log(one["decay"][-1] / 0.1)) > 0.02


def test_refusals():
    def refused(optimizer, adapting=None, **arguments):
        return fit(linear(optimizer), adapting or Hypergradient(), **arguments)

    with pytest.raises(InputError, match="needs an optimizer of `kerasrecipes.optimizers`"):
        refused(keras.optimizers.SGD(0.1))
    with pytest.raises(InputError, match="averages that ScheduleFreeAdamW trains"):
        refused(optimizers.ScheduleFreeAdamW(0.1))
    with pytest.raises(InputError, match="which it cannot for SGD with function"):
        refused(optimizers.SGD(lambda: 0.1))
    with pytest.raises(InputError, match="`weight_decay` must be > 0"):
        refused(optimizers.SGD(0.1), Hypergradient(validation_data=VALID))
    data = kr.data.batches(*VALID, batch_size=8)
    with pytest.raises(InputError, match="`validation_data` must be arrays"):
        refused(optimizers.AdamW(0.1), validation_data=data)


def test_clashes():
    model = linear(optimizers.SGD(0.1))
    with pytest.raises(InputError, match="Hypergradient is there 2 times"):
        kr.callbacks.check_callbacks([Hypergradient(), Hypergradient()], model)
    plateau = keras.callbacks.ReduceLROnPlateau("loss")
    with pytest.raises(InputError, match="Use kerasrecipes.callbacks.ReduceLROnPlateau"):
        kr.callbacks.check_callbacks([plateau, Hypergradient()], model)
    with pytest.raises(InputError, match="Put Hypergradient before Progress"):
        kr.callbacks.check_callbacks([kr.callbacks.Progress(), Hypergradient()], model)
    kr.callbacks.check_callbacks([Hypergradient(), *kr.callbacks.standard()], model)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("beta", -1.0),
        ("decay_beta", "much"),
        ("rule", "both"),
        ("validation_data", "rows"),
        ("validation_data", (X,)),
        ("batch_size", 0),
        ("every", 0),
        ("limits", (2.0, 3.0)),
        ("limits", 3.0),
    ],
)
def test_bad_arguments(argument, value):
    with pytest.raises(InputError, match=f"`{argument}`"):
        Hypergradient(**{argument: value})
