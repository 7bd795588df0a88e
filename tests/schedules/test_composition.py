"""`then`, `scale`, `warm_up`, momentum through them, and plots."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

from kerasrecipes import schedules
from kerasrecipes._checks import InputError
from tests.backends import assert_close

T = np.arange(0, 130)
FIT = schedules.FitLength(100, 10)


def test_methods_are_the_classes():
    cycle = schedules.OneCycle(1.0)
    whole = cycle.then(schedules.Constant(0.1), after=0.5).scale(2.0).warm_up("1 epoch")
    same = schedules.WarmUp(
        schedules.Scale(schedules.Then(cycle, other=0.1, after=0.5), factor=2.0),
        length=schedules.epochs(1),
    )
    assert whole.needs_fit
    np.testing.assert_array_equal(whole.values(T, FIT), same.values(T, FIT))
    # 10 updates of warm-up leave 90, of which the cycle gets 45
    assert whole.values([10], FIT)[0] == pytest.approx(2 / 25)
    assert whole.values([10 + round(45 / 4)], FIT)[0] == pytest.approx(2.0, rel=1e-2)
    np.testing.assert_allclose(whole.values([55, 99], FIT), 0.2)


def test_warm_up_equals_that_of_cosine():
    ours = schedules.Cosine(1.0).warm_up(10)
    assert_close(ours.values(T, FIT), schedules.Cosine(1.0, warmup=10).values(T, FIT), rtol=1e-12)


K = keras.optimizers.schedules


@pytest.mark.parametrize(
    "plain",
    [
        K.CosineDecay(0.0, 50, warmup_target=1.0, warmup_steps=10),
        K.PiecewiseConstantDecay([5, 9], [1.0, 0.5, 0.1]),
        K.CosineDecayRestarts(1.0, 10),
        K.PolynomialDecay(1.0, 50, cycle=True),
    ],
)
def test_plain_keras_schedules_as_parts(plain):
    steps = T[:60].reshape(6, 10)
    rates = schedules.Scale(plain, factor=2.0).values(steps)
    expected = [[2 * float(plain(int(t))) for t in row] for row in steps]
    np.testing.assert_allclose(rates, expected, rtol=1e-5, atol=1e-6)


def test_order_of_scale_and_then():
    a, b = schedules.Cosine(1.0, total=20), schedules.Constant(0.5)
    one = a.then(b, after=10).scale(3.0).values(T)
    two = a.scale(3.0).then(b.scale(3.0), after=10).values(T)
    np.testing.assert_allclose(one, two, rtol=1e-12)


def test_momentum_goes_through():
    cycle = schedules.OneCycle(1.0, total=100)
    assert schedules.Cosine(1.0, total=9).momentum_at(0, None) is None
    assert schedules.WarmUp(1.0, length=3).momentum_at(0, None) is None
    assert cycle.then(schedules.Constant(1.0), after=50).momentum_at(0, None) is None
    assert float(cycle.scale(2.0).momentum_at(25, None)) == pytest.approx(0.85)
    warm = cycle.warm_up(10)
    assert float(warm.momentum_at(5, None)) == pytest.approx(0.95)
    assert float(warm.momentum_at(35, None)) == pytest.approx(0.85)
    twice = cycle.then(schedules.OneCycle(1.0, total=20), after=100)
    assert [float(twice.momentum_at(t, None)) for t in (25, 100, 105)] == pytest.approx(
        [0.85, 0.95, 0.85]
    )


def test_plot():
    ax = schedules.Cosine(0.3).plot()
    assert "example: a fit of 1000" in ax.get_xlabel()
    assert ax.get_ylabel() == "learning rate"
    assert ax.get_title() == "Cosine"
    x, y = ax.lines[0].get_data()
    assert (x[0], x[-1]) == (0, 999)
    assert_close(y[[0, -1]], [0.3, 0.15 * (1 + np.cos(np.pi * 0.999))], atol=1e-12)
    schedules.Constant(0.1).plot(ax=ax, updates=50)
    assert len(ax.lines) == 2
    ax = schedules.StepDecay(0.1, every=10).plot()
    assert ax.get_xlabel() == "optimizer updates"
    assert ax.lines[0].get_xdata()[-1] == 49
    ax = schedules.CosineRestarts(0.1, first=10).warm_up(10).plot()
    assert ax.lines[0].get_xdata()[-1] > 70
    assert schedules.Cosine(0.1).plot(fit=FIT).lines[0].get_xdata()[-1] == 99
    plt.close("all")
    with pytest.raises(InputError, match="`updates`"):
        schedules.Constant(0.1).plot(updates=0)
