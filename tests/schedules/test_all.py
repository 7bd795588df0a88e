"""Every schedule against its closed form in float64; its config; and training with it."""

import keras
import numpy as np
import pytest

from kerasrecipes import callbacks, optimizers, schedules
from kerasrecipes._checks import InputError
from kerasrecipes._export import members
from tests.backends import BACKEND, JIT, assert_close, needs
from tests.harness import check_config_round_trip, representative

T = np.arange(0, 130, dtype="float64")
FIT = schedules.FitLength(updates=100, updates_per_epoch=10)


def cosine(t, total=100, warmup=0, floor=0.0, peak=2):
    share = np.clip((t - warmup) / (total - warmup), 0, 1)
    falling = floor + (peak - floor) * (1 + np.cos(np.pi * share)) / 2
    return np.where(t < warmup, peak * (t + 1) / (warmup + 1), falling)


def one_cycle(t, total=100, rise=0.25, d=25.0, e=1e4):
    top = rise * total
    up = 2 / d + (2 - 2 / d) * (1 - np.cos(np.pi * t / top)) / 2
    share = np.clip((t - top) / (total - top), 0, 1)
    down = 2 / d / e + (2 - 2 / d / e) * (1 + np.cos(np.pi * share)) / 2
    return np.where(t < top, up, down)


def restarts(t, lengths, peaks, floor, end):
    rates, start = np.full(len(t), end), 0.0
    for length, peak in zip(lengths, peaks, strict=True):
        inside = (t >= start) & (t < start + length)
        rates[inside] = cosine(t[inside] - start, total=length, floor=floor, peak=peak)
        start += length
    return rates


def triangles(t, cycle, floor, shrink):
    rates = np.empty(len(t))
    for i, step in enumerate(t):
        n, rest = divmod(step, cycle)
        height = (2 - floor) * shrink**n
        rates[i] = floor + height * (rest if rest < cycle / 2 else cycle - rest) / (cycle / 2)
    return rates


def stable(t, total, warmup, decay, floor, shape):
    share = np.clip((t - (total - decay)) / decay, 0, 1)
    return np.where(t < warmup, 2 * (t + 1) / (warmup + 1), floor + (2 - floor) * shape(share))


def cos_log(t, cycles=4):
    share = np.minimum(t / 100, 1)
    return 1 - np.cos(2 * np.pi * np.log2(1 + (2**cycles - 1) * share))


def pieces(t, starts, rates):
    return np.array(rates)[np.searchsorted(starts, t, side="right")]


s = schedules
CASES = {
    "Constant": (s.Constant(2.0), np.full(130, 2.0)),
    "StepDecay": (s.StepDecay(2.0), 2 * 0.1 ** (T // 33)),
    "StepDecay-epochs": (
        s.StepDecay(2.0, every=s.epochs(3), decay_rate=0.5),
        2 * 0.5 ** (T // 30),
    ),
    "ExponentialDecay": (s.ExponentialDecay(2.0), 2 * np.exp(-5 * T / 100)),
    "ExponentialDecay-updates": (
        s.ExponentialDecay(2.0, decay=0.1, every=1),
        2 * np.exp(-0.1 * T),
    ),
    "MultiplicativeDecay": (s.MultiplicativeDecay(2.0), 2 * 0.95 ** (T / 10)),
    "MultiplicativeDecay-updates": (
        s.MultiplicativeDecay(2.0, decay_rate=0.9, every=1),
        np.cumprod([2.0] + [0.9] * 129),
    ),
    "InverseDecay": (s.InverseDecay(2.0), 2 / (1 + T / 10)),
    "InverseDecay-power": (
        s.InverseDecay(2.0, decay=0.3, every=2, power=0.5),
        2 / np.sqrt(1 + 0.15 * T),
    ),
    "PolynomialDecay": (s.PolynomialDecay(2.0), 2 * np.maximum(1 - T / 100, 0)),
    "PolynomialDecay-cubic": (
        s.PolynomialDecay(2.0, total=80, power=3.0, floor=0.5),
        0.5 + 1.5 * np.maximum(1 - T / 80, 0) ** 3,
    ),
    "Cosine": (s.Cosine(2.0, total=100), cosine(T)),
    "Cosine-warmup": (
        s.Cosine(2.0, total=100, warmup=20, floor=0.5),
        cosine(T, warmup=20, floor=0.5),
    ),
    "Cosine-fit": (s.Cosine(2.0), cosine(T)),
    "Cosine-relative": (
        s.Cosine(2.0, total=0.5, warmup="2 epochs"),
        cosine(T, total=50, warmup=20),
    ),
    "Cosine-share-of-total": (s.Cosine(2.0, total=50, warmup=0.1), cosine(T, 50, warmup=5)),
    "CosineRestarts": (
        s.CosineRestarts(2.0),
        restarts(T, [100 / 7, 200 / 7, 400 / 7], [2, 2, 2], 0.0, 0.0),
    ),
    "CosineRestarts-total": (
        s.CosineRestarts(2.0, total=90, cycles=3, growth=1.0, shrink=0.5, floor=0.25),
        restarts(T, [30, 30, 30], [2, 1, 0.5], 0.25, 0.25),
    ),
    "CosineRestarts-endless": (
        s.CosineRestarts(2.0, first="1 epoch", growth=3.0),
        restarts(T, [10, 30, 90], [2, 2, 2], 0.0, 0.0),
    ),
    "OneCycle": (s.OneCycle(2.0, total=100), one_cycle(T)),
    "OneCycle-percent": (
        s.OneCycle(2.0, total="50%", rise=0.4, start_divisor=10, end_divisor=10),
        one_cycle(T, total=50, rise=0.4, d=10, e=10),
    ),
    "OneCycle-linear": (
        s.OneCycle(2.0, total=80, end_divisor=10, shape="linear"),
        np.interp(T, [0, 20, 80], [2 / 25, 2.0, 2 / 250]),
    ),
    "Cyclical": (s.Cyclical(2.0), triangles(T, 25, 0.2, 1.0)),
    "Cyclical-shrink": (
        s.Cyclical(2.0, cycle=30, floor=0.5, shrink=0.5),
        triangles(T, 30, 0.5, 0.5),
    ),
    "WarmupStableDecay": (
        s.WarmupStableDecay(2.0),
        stable(T, 100, 5, 20, 0.0, lambda u: 1 - u),
    ),
    "WarmupStableDecay-sqrt": (
        s.WarmupStableDecay(2.0, total=90, warmup=0, decay=30, floor=0.5, shape="sqrt"),
        stable(T, 90, 0, 30, 0.5, lambda u: 1 - np.sqrt(u)),
    ),
    "WarmupStableDecay-cosine": (
        s.WarmupStableDecay(2.0, warmup="1 epoch", decay="40%", shape="cosine"),
        stable(T, 100, 10, 40, 0.0, lambda u: np.cos(np.pi * u / 2) ** 2),
    ),
    "FlatCosine": (s.FlatCosine(2.0), np.where(T < 50, 2, cosine(T - 50, total=50))),
    "FlatCosine-floor": (
        s.FlatCosine(2.0, total=80, flat=0.25, floor=0.5),
        np.where(T < 20, 2, cosine(T - 20, total=60, floor=0.5)),
    ),
    "Piecewise": (s.Piecewise(2.0), pieces(T, [50, 75], [2, 0.2, 0.02])),
    "Piecewise-mixed": (
        s.Piecewise(2.0, boundaries=[5, "2 epochs", 0.9], factors=[3, 0, 1]),
        pieces(T, [5, 20, 90], [2, 6, 0, 2]),
    ),
    "CosLog": (s.CosLog(2.0), cos_log(T)),
    "CosLog-two": (s.CosLog(2.0, total=100, cycles=2), cos_log(T, 2)),
    "WarmUp": (s.WarmUp(s.Cosine(2.0), length=0.2), cosine(T, warmup=20)),
    "WarmUp-keras": (
        s.WarmUp(keras.optimizers.schedules.ExponentialDecay(2.0, 10, 0.5), length=10, start=0.0),
        np.where(T < 10, 2 * T / 10, 2 * 0.5 ** ((T - 10) / 10)),
    ),
    "Then": (
        s.Then(s.Constant(2.0), other=s.Cosine(2.0, floor=0.5), after="30%"),
        np.where(T < 30, 2, cosine(T - 30, total=70, floor=0.5)),
    ),
    "Then-first-part": (
        s.Then(s.PolynomialDecay(2.0), other=s.PolynomialDecay(1.0), after=40),
        np.where(T < 40, 2 * (1 - T / 40), np.maximum(1 - (T - 40) / 60, 0)),
    ),
    "Scale": (s.Scale(s.Cosine(2.0), factor=0.5), cosine(T) / 2),
}
ABSOLUTE = [name for name, (schedule, _) in CASES.items() if not schedule.needs_fit]


def test_no_schedule_escapes():
    assert {name.split("-")[0] for name in CASES} == set(members("schedules"))


@pytest.mark.parametrize("name", CASES)
def test_closed_form(name):
    schedule, expected = CASES[name]
    # a plain Keras schedule inside computes in float32
    exact = 1e-6 if name == "WarmUp-keras" else 1e-12
    assert_close(schedule.values(T, FIT), expected, rtol=exact, atol=1e-14)
    singles = [schedule.at(keras.ops.convert_to_tensor(int(t)), FIT) for t in T[::13]]
    assert {keras.backend.standardize_dtype(each.dtype) for each in singles} == {"float32"}
    assert_close(singles, expected[::13], rtol=3e-5, atol=3e-6)


@needs("tensorflow", "it is what holds lengths in variables")
@pytest.mark.parametrize("name", CASES)
def test_in_a_graph_with_the_length_in_variables(name):
    import tensorflow as tf

    schedule, expected = CASES[name]
    updates, per_epoch = tf.Variable(7), tf.Variable(1)

    @tf.function
    def rate(step):
        return schedule.at(step, schedules.FitLength(updates.value(), per_epoch.value()))

    rate(tf.constant(0))
    updates.assign(100)
    per_epoch.assign(10)
    rates = [float(rate(tf.constant(t))) for t in (0, 19, 20, 50, 99, 120)]
    expected = expected[[0, 19, 20, 50, 99, 120]]
    np.testing.assert_allclose(rates, expected, rtol=3e-5, atol=3e-6)


@pytest.mark.parametrize("name", ABSOLUTE)
def test_absolute_lengths_need_no_fit(name):
    schedule, expected = CASES[name]
    assert_close(schedule.values(T), expected, rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("name", sorted(CASES.keys() - set(ABSOLUTE)))
def test_relative_lengths_need_a_fit(name):
    schedule = CASES[name][0]
    for call in (lambda: schedule(0), lambda: schedule.values([0])):
        with pytest.raises(InputError, match="is not known"):
            call()


@pytest.mark.parametrize("name", CASES)
def test_round_trip(name):
    schedule, _ = CASES[name]
    clone = check_config_round_trip(schedule)
    assert clone.needs_fit is schedule.needs_fit
    np.testing.assert_array_equal(clone.values(T, FIT), schedule.values(T, FIT))


OFTEN = "Cosine", "CosineRestarts", "Piecewise", "Then", "WarmUp"


@pytest.mark.parametrize("name", representative(sorted(members("schedules")), *OFTEN))
def test_trains_in_a_plain_keras_optimizer_in_mixed_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    schedule = check_config_round_trip(CASES[name][0])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, dtype="float32")])
    model.compile(keras.optimizers.Adam(schedule), "mse", jit_compile=JIT)
    data = {"x": np.zeros((80, 2)), "y": np.zeros((80, 1)), "batch_size": 8, "epochs": 10}
    model.fit(**data, verbose=0, callbacks=[callbacks.BindSchedule()])
    rate = model.optimizer.inner_optimizer.learning_rate
    assert keras.backend.standardize_dtype(rate.dtype) == "float32"
    assert float(rate) == pytest.approx(CASES[name][1][100], abs=1e-6)


@pytest.mark.parametrize(
    "name", representative(["Cosine", "Piecewise", "WarmUp-keras", "Then"], "WarmUp-keras", "Then")
)
def test_a_saved_model_goes_on_at_the_rate(name, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    schedule = check_config_round_trip(CASES[name][0])
    schedule.fit = FIT
    model.compile(keras.optimizers.Adam(schedule), "mse", jit_compile=JIT)
    model.fit(np.zeros((80, 2)), np.zeros((80, 1)), batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").optimizer
    assert type(loaded._learning_rate) is type(schedule)
    loaded._learning_rate.fit = FIT
    assert float(loaded.learning_rate) == pytest.approx(CASES[name][1][10], abs=1e-6)


@pytest.mark.parametrize(
    "name", representative(sorted(members("schedules")), "Cosine", "Cyclical", "OneCycle", "Scale")
)
def test_trains_in_our_optimizer_at_its_rates(name):
    schedule, expected = CASES[name]
    schedule = check_config_round_trip(schedule)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    jit = JIT or (name == "Cosine" and BACKEND == "tensorflow")
    # the gradient is 1 at every update, so the weight falls by the rate
    optimizer = optimizers.SGD(schedule, momentum=0.0)
    model.compile(optimizer, lambda y, prediction: prediction, jit_compile=jit)
    model.layers[0].set_weights([np.zeros((1, 1))])
    seen = []

    def note(batch, logs):
        if BACKEND == "jax":
            model.jax_state_sync()  # which the variables lack during an epoch
        seen.append(-float(model.get_weights()[0][0, 0]))

    note = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    data = {"x": np.ones((40, 1)), "y": np.ones((40, 1)), "batch_size": 4, "epochs": 10}
    model.fit(**data, verbose=0, callbacks=[callbacks.BindSchedule(), note])
    np.testing.assert_allclose(seen, np.cumsum(expected[:100]), rtol=1e-4, atol=1e-5)
