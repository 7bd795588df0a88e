"""`get`, and what the constructors refuse."""

import keras
import pytest

from kerasrecipes import optimizers, schedules
from kerasrecipes._checks import InputError


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        (None, schedules.Constant),
        ("constant", schedules.Constant),
        ("cosine", schedules.Cosine),
        ("1cycle", schedules.OneCycle),
        ("one_cycle", schedules.OneCycle),
        ("step", schedules.StepDecay),
        ("exponential", schedules.ExponentialDecay),
        ("multiplicative", schedules.MultiplicativeDecay),
        ("inverse", schedules.InverseDecay),
        ("polynomial", schedules.PolynomialDecay),
        ("linear", schedules.PolynomialDecay),
        ("cosine_restarts", schedules.CosineRestarts),
        ("triangular", schedules.Cyclical),
        ("warm_up", schedules.WarmUp),
        ("wsd", schedules.WarmupStableDecay),
        ("warmup_stable_decay", schedules.WarmupStableDecay),
        ("flat_cos", schedules.FlatCosine),
        ("flat_cosine", schedules.FlatCosine),
        ("piecewise", schedules.Piecewise),
        ("coslog", schedules.CosLog),
    ],
)
def test_names(name, cls):
    schedule = schedules.get(name, 0.5)
    assert type(schedule) is cls
    inner = getattr(schedule, "schedule", schedule)
    assert inner.learning_rate == 0.5


def test_arguments():
    schedule = schedules.get({"name": "cosine", "total": 10}, 0.5)
    assert [float(schedule(t)) for t in (0, 5, 10)] == pytest.approx([0.5, 0.25, 0.0])
    assert schedules.get({"name": "cosine", "learning_rate": 2.0}, 0.5).learning_rate == 2.0


def test_nested():
    schedule = schedules.get(
        {
            "name": "then",
            "schedule": {"name": "scale", "schedule": "constant", "factor": 0.5},
            "other": {"name": "warm_up", "schedule": {"name": "step", "every": 5}, "length": 2},
            "after": 3,
        },
        1.0,
    )
    rates = [float(schedule(t)) for t in (0, 3, 4, 5, 9, 10)]
    assert rates == pytest.approx([0.5, 1 / 3, 2 / 3, 1.0, 1.0, 0.1])


def test_a_finished_schedule_stays():
    own = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    assert schedules.get(own, 0.5) is own
    assert float(optimizers.SGD(own).learning_rate) == pytest.approx(0.1)


s = schedules


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: s.get("cosin", 0.1), "Did you mean 'Cosine'"),
        (lambda: s.get("robbins_monro", 0.1), "must name one of the schedules"),
        (lambda: s.get(3, 0.1), "`schedule`"),
        (lambda: s.get({"warmup": 3}, 0.1), "`schedule`"),
        (lambda: s.get({"name": "cosine", "warm_up": 3}, 0.1), "Did you mean 'warmup'"),
        (lambda: s.get({"name": "then", "other": "cosine"}, 0.1), "`schedule.after`"),
        (lambda: s.get({"name": "then", "after": 3}, 0.1), "`schedule.other`"),
        (lambda: s.get({"name": "scale"}, 0.1), "`schedule.factor`"),
        (lambda: s.Constant(0.0), "`learning_rate`"),
        (lambda: s.Cosine(0.0), "`learning_rate`"),
        (lambda: s.Cosine("0.1"), "`learning_rate`"),
        (lambda: s.Cosine(0.1, floor=0.2), "`floor`"),
        (lambda: s.Cosine(0.1, warmup=-1), "`warmup`"),
        (lambda: s.Cosine(0.1, warmup=1.5), "`warmup`"),
        (lambda: s.Cosine(0.1, total="5 days"), "`total`"),
        (lambda: s.StepDecay(0.1, decay_rate=1.5), "`decay_rate`"),
        (lambda: s.StepDecay(0.1, every=0), "`every`"),
        (lambda: s.ExponentialDecay(0.1, decay=-1.0), "`decay`"),
        (lambda: s.MultiplicativeDecay(0.1, decay_rate=0.0), "`decay_rate`"),
        (lambda: s.InverseDecay(0.1, power=0.0), "`power`"),
        (lambda: s.PolynomialDecay(0.1, power=-1.0), "`power`"),
        (lambda: s.OneCycle(0.1, rise=0.0), "`rise`"),
        (lambda: s.OneCycle(0.1, start_divisor=0.5), "`start_divisor`"),
        (lambda: s.OneCycle(0.1, base_momentum=0.99), "`base_momentum`"),
        (lambda: s.OneCycle(0.1, max_momentum=1.0), "`max_momentum`"),
        (lambda: s.OneCycle(0.1, shape="lineal"), "Did you mean 'linear'"),
        (lambda: s.CosineRestarts(0.1, cycles=0), "`cycles`"),
        (lambda: s.CosineRestarts(0.1, growth=0.5), "`growth`"),
        (lambda: s.CosineRestarts(0.1, first=5, total=9), "`first`"),
        (lambda: s.CosineRestarts(0.1, first=5, cycles=9), "`first`"),
        (lambda: s.CosineRestarts(0.1, first=0), "`first`"),
        (lambda: s.CosineRestarts(0.1, shrink=1.1), "`shrink`"),
        (lambda: s.Cyclical(0.1, cycle=0), "`cycle`"),
        (lambda: s.Cyclical(0.1, floor=0.2), "`floor`"),
        (lambda: s.WarmupStableDecay(0.1, shape="cosin"), "Did you mean 'cosine'"),
        (lambda: s.WarmupStableDecay(0.1, decay=-3), "`decay`"),
        (lambda: s.FlatCosine(0.1, flat=-1), "`flat`"),
        (lambda: s.Piecewise(0.1, boundaries=[5, 3]), "`boundaries` must be ascending"),
        (lambda: s.Piecewise(0.1, boundaries=[5]), "`factors` must be as many"),
        (lambda: s.Piecewise(0.1, boundaries=5), "`boundaries`"),
        (lambda: s.Piecewise(0.1, factors=[-1, 1]), "`factors`"),
        (lambda: s.CosLog(0.1, cycles=1.5), "`cycles`"),
        (lambda: s.WarmUp("cosine"), "`schedule`"),
        (lambda: s.WarmUp(0.1, start=2.0), "`start`"),
        (lambda: s.Then(0.1, other=None, after=3), "`other`"),
        (lambda: s.Then(0.1, other=0.1, after=-3), "`after`"),
        (lambda: s.Scale(0.1, factor=-1), "`factor`"),
        (lambda: s.robbins_monro(0.1), "`schedule`"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()
