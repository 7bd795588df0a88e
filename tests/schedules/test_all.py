"""Every schedule against its closed form in float64, and against optax and Keras."""

import keras
import numpy as np
import optax
import pytest

from kerasrecipes import optimizers, schedules
from kerasrecipes._checks import InputError
from kerasrecipes._export import members
from kerasrecipes.schedules.duration import duration
from tests.harness import check_config_round_trip

T = np.arange(0, 130, dtype="float64")
FIT = schedules.FitLength(updates=100, updates_per_epoch=10)


def cosine(t, total=100, warmup=0, floor=0.0):
    share = np.clip((t - warmup) / (total - warmup), 0, 1)
    falling = floor + (2 - floor) * (1 + np.cos(np.pi * share)) / 2
    return np.where(t < warmup, 2 * (t + 1) / (warmup + 1), falling)


def one_cycle(t, total=100, rise=0.25, d=25.0, e=1e4):
    top = rise * total
    up = 2 / d + (2 - 2 / d) * (1 - np.cos(np.pi * t / top)) / 2
    share = np.clip((t - top) / (total - top), 0, 1)
    down = 2 / d / e + (2 - 2 / d / e) * (1 + np.cos(np.pi * share)) / 2
    return np.where(t < top, up, down)


CASES = {
    "Constant": (schedules.Constant(2.0), np.full(130, 2.0)),
    "Cosine": (schedules.Cosine(2.0, total=100), cosine(T)),
    "Cosine-warmup": (
        schedules.Cosine(2.0, total=100, warmup=20, floor=0.5),
        cosine(T, warmup=20, floor=0.5),
    ),
    "Cosine-fit": (schedules.Cosine(2.0), cosine(T)),
    "Cosine-relative": (
        schedules.Cosine(2.0, total=0.5, warmup="2 epochs"),
        cosine(T, total=50, warmup=20),
    ),
    "OneCycle": (schedules.OneCycle(2.0, total=100), one_cycle(T)),
    "OneCycle-percent": (
        schedules.OneCycle(2.0, total="50%", rise=0.4, start_divisor=10, end_divisor=10),
        one_cycle(T, total=50, rise=0.4, d=10, e=10),
    ),
}


def test_no_schedule_escapes():
    assert {name.split("-")[0] for name in CASES} == set(members("schedules"))


@pytest.mark.parametrize("name", CASES)
def test_closed_form(name):
    schedule, expected = CASES[name]
    exact = keras.ops.convert_to_numpy(schedule.at(T, FIT)) * np.ones(130)
    np.testing.assert_allclose(exact, expected, rtol=1e-12 if name != "Constant" else 1e-7)
    single = [float(schedule.at(keras.ops.convert_to_tensor(int(t)), FIT)) for t in T[::13]]
    np.testing.assert_allclose(single, expected[::13], rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_round_trip(name):
    schedule, _ = CASES[name]
    clone = check_config_round_trip(schedule)
    assert clone.needs_fit is schedule.needs_fit
    np.testing.assert_array_equal(clone.at(T, FIT), schedule.at(T, FIT))


@pytest.mark.parametrize("name", CASES)
def test_trains_in_a_plain_keras_optimizer_in_mixed_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    schedule = check_config_round_trip(CASES[name][0])
    schedule.fit = FIT
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, dtype="float32")])
    model.compile(keras.optimizers.SGD(schedule), "mse")
    model.fit(np.zeros((8, 2)), np.zeros((8, 1)), verbose=0)
    rate = model.optimizer.inner_optimizer.learning_rate
    assert keras.backend.standardize_dtype(rate.dtype) == "float32"
    assert float(rate) == pytest.approx(float(schedule.at(1, FIT)))


def test_agrees_with_optax():
    peer = optax.cosine_decay_schedule(2.0, 100, alpha=0.25)
    ours = schedules.Cosine(2.0, total=100, floor=0.5)
    np.testing.assert_allclose(ours.at(T, None), peer(T), rtol=1e-5)
    peer = optax.cosine_onecycle_schedule(100, 2.0, pct_start=0.25)
    ours = schedules.OneCycle(2.0, total=100)
    expected = [float(peer(int(t))) for t in T[:101]]
    np.testing.assert_allclose(ours.at(T[:101], None), expected, rtol=1e-3, atol=1e-6)


def test_agrees_with_keras():
    peer = keras.optimizers.schedules.CosineDecay(2.0, 100, alpha=0.25)
    ours = schedules.Cosine(2.0, total=100, floor=0.5)
    np.testing.assert_allclose(
        [float(ours(t)) for t in range(120)], [float(peer(t)) for t in range(120)], rtol=1e-5
    )


def test_many_updates():
    ours = schedules.Cosine(1.0, total=20_000_000)
    assert float(ours(10_000_000)) == pytest.approx(0.5, abs=1e-6)


def test_total_and_warmup_of_nothing():
    assert np.isfinite(schedules.Cosine(1.0, total=0, warmup=0).at(T, None)).all()
    assert np.isfinite(schedules.Cosine(1.0, total=5, warmup=5).at(T, None)).all()
    assert np.isfinite(schedules.OneCycle(1.0, total=0).at(T, None)).all()


def test_unbound_is_an_error():
    with pytest.raises(InputError, match="length of OneCycle is not known"):
        schedules.OneCycle(1.0)(0)


def test_get():
    assert isinstance(schedules.get(None, 0.5), schedules.Constant)
    assert isinstance(schedules.get("1cycle", 0.5), schedules.OneCycle)
    own = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    assert schedules.get(own, 0.5) is own
    assert float(optimizers.SGD(own).learning_rate) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("value", "amount", "unit"),
    [
        (5, 5, "updates"),
        (0.25, 0.25, "share"),
        ("3 epochs", 3, "epochs"),
        ("1 epoch", 1, "epochs"),
        ("10%", 0.1, "share"),
        ("7 updates", 7, "updates"),
    ],
)
def test_duration(value, amount, unit):
    assert duration("total", value) == schedules.Duration(amount, unit)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.get("cosin", 0.1), "Did you mean 'Cosine'"),
        (lambda: schedules.get(3, 0.1), "`schedule`"),
        (lambda: schedules.get({"warmup": 3}, 0.1), "`schedule`"),
        (lambda: schedules.get({"name": "cosine", "warm_up": 3}, 0.1), "Did you mean 'warmup'"),
        (lambda: schedules.Cosine(0.0), "`learning_rate`"),
        (lambda: schedules.Cosine(0.1, floor=0.2), "`floor`"),
        (lambda: schedules.Cosine(0.1, warmup=-1), "`warmup`"),
        (lambda: schedules.Cosine(0.1, warmup=1.5), "`warmup`"),
        (lambda: schedules.Cosine(0.1, total="5 days"), "`total`"),
        (lambda: schedules.Cosine(0.1, total="150%"), "`total`"),
        (lambda: schedules.Cosine(0.1, total=True), "`total`"),
        (lambda: schedules.OneCycle(0.1, rise=0.0), "`rise`"),
        (lambda: schedules.OneCycle(0.1, start_divisor=0.5), "`start_divisor`"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()
