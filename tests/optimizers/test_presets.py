"""Each optimizer against its equations, in NumPy and float64."""

import functools

import keras
import numpy as np
import pytest

from kerasrecipes import optimizers, schedules
from kerasrecipes._checks import InputError
from kerasrecipes._export import members
from tests.harness import check_config_round_trip, representative

STEPS = 12
W0 = np.array([0.8, -1.5, 0.3])
GRADIENTS = np.random.default_rng(0).normal(size=(STEPS, 3))


def sgd(w, g, t, s, r=1e-2, a=0.9):
    s["v"] = a * s.get("v", 0) - r * g
    return w + s["v"]


def nesterov(w, g, t, s, r=1e-2, a=0.9):
    s["v"] = a * s.get("v", 0) - r * g
    return w + a * s["v"] - r * g


def adam(w, g, t, s, r=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    eps = eps / np.sqrt(1 - b2**t)
    return w - r * (s["m"] / (1 - b1**t)) / (np.sqrt(s["v"] / (1 - b2**t)) + eps)


def adamw(w, g, t, s, eps=1e-8):
    return adam(w - 1e-3 * 1e-2 * w, g, t, s, eps=eps)


def amsgrad(w, g, t, s, r=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    s["max"] = np.maximum(s.get("max", 0), s["v"])
    rate = r * np.sqrt(1 - b2**t) / (1 - b1**t)
    return w - rate * s["m"] / (np.sqrt(s["max"]) + eps)


def rmsprop_momentum(w, g, t, s, r=1e-3, rho=0.9, eps=1e-8):
    s["v"] = rho * s.get("v", 0) + (1 - rho) * g * g
    s["u"] = 0.5 * s.get("u", 0) + r * g / np.sqrt(s["v"] + eps)
    return w - s["u"]


def rmsprop_centered(w, g, t, s, r=1e-3, rho=0.9, eps=1e-8):
    s["v"] = rho * s.get("v", 0) + (1 - rho) * g * g
    s["g"] = rho * s.get("g", 0) + (1 - rho) * g
    return w - r * g / np.sqrt(s["v"] - s["g"] ** 2 + eps)


def rmsprop(w, g, t, s, r=1e-3, rho=0.9, eps=1e-8):
    s["v"] = rho * s.get("v", 0) + (1 - rho) * g * g
    return w - r * g / np.sqrt(s["v"] + eps)


def adagrad(w, g, t, s, r=1e-2, eps=1e-8):
    s["s"] = s.get("s", 0) + g * g
    return w - r * g / np.sqrt(s["s"] + eps)


def adadelta(w, g, t, s, rho=0.95, eps=1e-6):
    s["v"] = rho * s.get("v", 0) + (1 - rho) * g * g
    d = g * np.sqrt(s.get("u", 0) + eps) / np.sqrt(s["v"] + eps)
    s["u"] = rho * s.get("u", 0) + (1 - rho) * d * d
    return w - d


def adamax(w, g, t, s, r=2e-3, b1=0.9, b2=0.999, eps=1e-8):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["u"] = np.maximum(b2 * s.get("u", 0), abs(g))
    return w - r * s["m"] / ((1 - b1**t) * (s["u"] + eps))


def nadam(w, g, t, s, r=2e-3, b1=0.9, b2=0.999, eps=1e-8):
    u, ahead = (b1 * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in (t, t + 1))
    s["p"] = s.get("p", 1) * u
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    mean = ahead * s["m"] / (1 - s["p"] * ahead) + (1 - u) * g / (1 - s["p"])
    return w - r * mean / (np.sqrt(s["v"] / (1 - b2**t)) + eps)


def lion(w, g, t, s, r=1e-4, b1=0.9, b2=0.99, decay=0.1):
    m = s.get("m", 0)
    s["m"] = b2 * m + (1 - b2) * g
    return w - r * decay * w - r * np.sign(b1 * m + (1 - b1) * g)


def schedule_free(w, g, t, s, r=2.5e-3, b1=0.9, b2=0.999, eps=1e-8):
    z, x = s.get("z", w), s.get("x", w)
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    s["z"] = z - r * g / (np.sqrt(s["v"] / (1 - b2**t)) + eps)
    s["x"] = (1 - 1 / t) * x + s["z"] / t
    return (1 - b1) * s["z"] + b1 * s["x"]


def muon(w, g, t, s, eps=1e-7):
    # A vector, which Muon leaves to AdamW; its epsilon is added to the uncorrected root.
    return amsgrad_free(w - 1e-3 * 1e-2 * w, g, t, s, eps)


def amsgrad_free(w, g, t, s, eps, r=1e-3, b1=0.9, b2=0.999):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    rate = r * np.sqrt(1 - b2**t) / (1 - b1**t)
    return w - rate * s["m"] / (np.sqrt(s["v"]) + eps)


CASES = {
    "Lion": (optimizers.Lion, {}, lion),
    "Muon": (optimizers.Muon, {}, muon),
    "ScheduleFreeAdamW": (optimizers.ScheduleFreeAdamW, {}, schedule_free),
    "SGD": (optimizers.SGD, {}, sgd),
    "SGD-nesterov": (optimizers.SGD, {"nesterov": True}, nesterov),
    "Adam": (optimizers.Adam, {}, adam),
    "Adam-amsgrad": (optimizers.Adam, {"amsgrad": True}, amsgrad),
    "RMSprop-momentum": (optimizers.RMSprop, {"momentum": 0.5}, rmsprop_momentum),
    "RMSprop-centered": (optimizers.RMSprop, {"centered": True}, rmsprop_centered),
    "AdamW": (optimizers.AdamW, {}, adamw),
    "RMSprop": (optimizers.RMSprop, {}, rmsprop),
    "Adagrad": (optimizers.Adagrad, {}, adagrad),
    "Adadelta": (optimizers.Adadelta, {}, adadelta),
    "Adamax": (optimizers.Adamax, {}, adamax),
    "Nadam": (optimizers.Nadam, {}, nadam),
}


WRAPPERS = {"Lookahead", "LossScaleOptimizer", "SAM"}


def test_no_optimizer_escapes():
    public = {name for name, thing in members("optimizers").items() if isinstance(thing, type)}
    assert {name.split("-")[0] for name in CASES} | WRAPPERS == public


@pytest.mark.parametrize("epsilon", [None, 0.1])
@pytest.mark.parametrize("name", CASES)
def test_updates_follow_the_equations(name, epsilon):
    factory, arguments, update = CASES[name]
    if epsilon is not None:
        if "SGD" in name or name == "Lion":
            pytest.skip("has no epsilon")
        arguments = {**arguments, "epsilon": epsilon}
        update = functools.partial(update, eps=epsilon)
    optimizer, variable = factory(**arguments), keras.Variable(W0, dtype="float32", name="kernel")
    w, state = W0.copy(), {}
    for t, gradient in enumerate(GRADIENTS, start=1):
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
        w = update(w, gradient, t, state)
        np.testing.assert_allclose(variable.numpy(), w, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_config_and_state_round_trip(name, tmp_path):
    factory, arguments, _ = CASES[name]
    optimizer = factory(schedules.get("cosine", 0.1), adaptive_clip=0.01, **arguments)
    clone = check_config_round_trip(optimizer)
    assert clone.clipping.adaptive_clip == 0.01
    assert isinstance(clone.schedule, schedules.Schedule)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(factory(**arguments), "mse")
    x = np.random.default_rng(1).normal(size=(32, 3)).astype("float32")
    model.fit(x, x[:, :2], verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for a, b in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("name", representative(CASES, "Adam", "Muon", "ScheduleFreeAdamW"))
def test_learns(name):
    factory, arguments, _ = CASES[name]
    x = np.random.default_rng(2).normal(size=(128, 3)).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5]], "float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(factory(3 * float(factory().learning_rate), **arguments), "mse")
    losses = model.fit(x, y, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_mixed_precision_trains_with_clipping():
    keras.config.set_dtype_policy("mixed_float16")
    x = np.random.default_rng(2).normal(size=(64, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, dtype="float32")])
    model.compile(optimizers.SGD(0.1, momentum=0.0, global_clipnorm=1e-3), "mse")
    before = np.concatenate([w.numpy().ravel() for w in model.trainable_weights])
    model.fit(x, 10 * x[:, :1], batch_size=64, verbose=0)
    after = np.concatenate([w.numpy().ravel() for w in model.trainable_weights])
    assert np.linalg.norm(after - before) == pytest.approx(1e-4, rel=1e-2)


def test_get():
    assert isinstance(optimizers.get("sgd"), optimizers.SGD)
    made = optimizers.get({"name": "adamw", "beta_1": 0.5}, learning_rate=0.25)
    assert (made.beta_1, float(made.learning_rate)) == (0.5, 0.25)
    own = keras.optimizers.Lion()
    assert optimizers.get(own, learning_rate=None) is own


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.get("adamm"), "Did you mean 'Adam"),
        (lambda: optimizers.get(3), "`optimizer`"),
        (lambda: optimizers.get({"beta_1": 1}), "`optimizer`"),
        (lambda: optimizers.get(keras.optimizers.SGD(), learning_rate=1.0), "learning_rate"),
        (lambda: optimizers.get({"name": "sgd", "learning_rate": 1}, learning_rate=2), "as well"),
        (lambda: optimizers.SGD(clipnorm=1, clipvalue=1), "Only one kind of clipping"),
        (lambda: optimizers.SGD(global_clipnorm=0.0), "`global_clipnorm`"),
        (lambda: optimizers.SGD(exclude_from_decay="("), "regular expressions"),
        (lambda: optimizers.SGD(exclude_from_decay=None), "`exclude_from_decay`"),
        (lambda: optimizers.Muon(exclude_layers=3), "`exclude_layers`"),
        (lambda: optimizers.Muon(adam_weight_decay=0.5), "Use `weight_decay`"),
        (lambda: optimizers.Adam(foo=1), "Adam has no argument `foo`"),
        (lambda: optimizers.Adam(beta1=0.5), "Did you mean 'beta_1'"),
        (lambda: optimizers.Adam(kwargs=1), "no argument `kwargs`"),
        (lambda: optimizers.Adam("x"), "`learning_rate`.*Or give a schedule"),
        (lambda: optimizers.Adam(None), "`learning_rate`"),
        (lambda: optimizers.Adam(True), "`learning_rate`"),
        (lambda: optimizers.Adam(-1.0), "`learning_rate`"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("Adam", "beta_1", 1.5),
        ("Adam", "beta_1", None),
        ("Adam", "beta_2", -1),
        ("Adam", "epsilon", -1),
        ("Adam", "loss_scale_factor", -1),
        ("Adamax", "beta_2", 1.0),
        ("AdamW", "weight_decay", -1),
        ("AdamW", "weight_decay", "a"),
        ("Adadelta", "rho", 1.0),
        ("Adagrad", "initial_accumulator_value", -0.1),
        ("Lion", "beta_1", 2),
        ("Muon", "adam_beta_1", 1.5),
        ("Muon", "momentum", 2),
        ("Nadam", "beta_1", "a"),
        ("Nadam", "epsilon", -1),
        ("RMSprop", "momentum", -0.5),
        ("RMSprop", "rho", 3),
        ("SGD", "momentum", 1.0),
        ("ScheduleFreeAdamW", "beta_1", 0.0),
        ("ScheduleFreeAdamW", "warmup_steps", -3),
        ("ScheduleFreeAdamW", "warmup_steps", 2.5),
    ],
)
def test_settings_out_of_their_range(name, setting, value):
    with pytest.raises(InputError, match=f"`{setting}`"):
        getattr(optimizers, name)(**{setting: value})


@pytest.mark.parametrize("rate", [np.float32(0.25), np.float64(0.25), np.int64(2)])
def test_numpy_rates(rate):
    optimizer = optimizers.Adam(rate)
    assert float(optimizer.learning_rate) == rate
    optimizer.learning_rate = rate / 2
    assert float(optimizer.learning_rate) == rate / 2
    scheduled = optimizers.Adam(schedules.Constant(0.1))
    with pytest.raises(InputError, match="`rate_factor`"):
        scheduled.learning_rate = rate


@pytest.mark.parametrize("name", ["AdamW", "Lion", "Muon", "ScheduleFreeAdamW", "SGD"])
def test_no_decay(name):
    optimizer = getattr(optimizers, name)(weight_decay=None)
    assert not optimizer.weight_decay
    check_config_round_trip(optimizer)


def test_keras_nadam_warms_up_too_fast():
    plain, variable = keras.optimizers.Nadam(2e-3), keras.Variable(W0, dtype="float32")
    w, state = W0.copy(), {}
    for t, gradient in enumerate(GRADIENTS, start=1):
        plain.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
        w = nadam(w, gradient, t, state)
    assert abs(variable.numpy() - w).max() > 5e-5


def test_muon_makes_the_update_of_a_matrix_orthogonal():
    rng = np.random.default_rng(5)
    w, m = rng.normal(size=(6, 4)), np.zeros((6, 4))
    variable = keras.Variable(w, dtype="float32", name="kernel")
    optimizer = optimizers.Muon(0.01, weight_decay=0.1)
    for _ in range(5):
        g, before = rng.normal(size=(6, 4)), variable.numpy()
        optimizer.apply([keras.ops.convert_to_tensor(g, "float32")], [variable])
        m = 0.95 * m + g
        u = (g + 0.95 * m).T
        u = u / np.linalg.norm(u)
        for _ in range(5):
            a = u @ u.T
            u = 3.4445 * u + (-4.7750 * a + 2.0315 * a @ a) @ u
        step = 0.01 * 0.2 * np.sqrt(6) * u.T
        w = w - 0.01 * 0.1 * w - step
        np.testing.assert_allclose(variable.numpy(), w, rtol=2e-4, atol=1e-6)
        moved = (before * (1 - 0.001) - variable.numpy()) / (0.01 * 0.2 * np.sqrt(6))
        singular = np.linalg.svd(moved, compute_uv=False)
        assert ((singular > 0.6) & (singular < 1.3)).all()


def test_muon_leaves_the_head_of_a_recipe_to_adamw():
    from kerasrecipes import recipes, targets

    model = recipes.mlp((4,), targets.Binary(), hidden=(8, 8), optimizer="muon")
    velocities = {v.path.split("/")[-1] for v in model.optimizer.variables if "velocity" in v.path}
    assert any("head_kernel" in name for name in velocities)
    assert not any("hidden_2" in name and "kernel" in name for name in velocities)
