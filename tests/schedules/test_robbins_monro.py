"""The conditions of Robbins and Monro."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasrecipes import schedules
from kerasrecipes._export import members
from kerasrecipes.schedules.robbins_monro import _numerically, robbins_monro
from kerasrecipes.schedules.schedule import Schedule

s = schedules
CASES = [
    # schedule, sum diverges, sum of squares converges
    (s.Constant(0.1), True, False),
    (s.Cosine(0.1, total=100), False, True),
    (s.Cosine(0.1, total=100, floor=0.01), True, False),
    (s.PolynomialDecay(0.1, total=100), False, True),
    (s.FlatCosine(0.1, total=100, floor=0.01), True, False),
    (s.WarmupStableDecay(0.1, total=100), False, True),
    (s.CosLog(0.1, total=100), False, True),
    (s.OneCycle(0.1, total=100), True, False),
    (s.Piecewise(0.1, boundaries=[5], factors=[0.5]), True, False),
    (s.Piecewise(0.1, boundaries=[5], factors=[0.0]), False, True),
    (s.StepDecay(0.1, every=1000), False, True),
    (s.StepDecay(0.1, every=1000, decay_rate=1.0), True, False),
    (s.ExponentialDecay(0.1, every=1000), False, True),
    (s.ExponentialDecay(0.1, every=1000, decay=0.0), True, False),
    (s.ExponentialDecay(0.1, every=1000, decay=1e-20), False, True),
    (s.MultiplicativeDecay(0.1, every=1000), False, True),
    (s.InverseDecay(0.1, every=10), True, True),
    (s.InverseDecay(0.1, every=10, power=0.75), True, True),
    (s.InverseDecay(0.1, every=10, power=0.5), True, False),
    (s.InverseDecay(0.1, every=10, power=1.5), False, True),
    (s.InverseDecay(0.1, every=10, decay=0.0), True, False),
    (s.Cyclical(0.1, cycle=1000), True, False),
    (s.Cyclical(0.1, cycle=1000, floor=0.0), True, False),
    (s.Cyclical(0.1, cycle=1000, floor=0.0, shrink=0.5), False, True),
    (s.CosineRestarts(0.1, total=100), False, True),
    (s.CosineRestarts(0.1, total=100, floor=0.01), True, False),
    (s.CosineRestarts(0.1, first=100), True, False),
    (s.CosineRestarts(0.1, first=100, floor=0.01, shrink=0.6), True, False),
    (s.CosineRestarts(0.1, first=100, shrink=0.6), True, True),
    (s.CosineRestarts(0.1, first=100, shrink=0.4), False, True),
    (s.WarmUp(s.InverseDecay(0.1, every=10), length=10), True, True),
    (s.Then(s.Constant(0.1), other=s.InverseDecay(0.1, every=10), after=10), True, True),
    (s.Then(s.InverseDecay(0.1, every=10), other=s.Constant(0.1), after=10), True, False),
    (s.Scale(s.InverseDecay(0.1, every=10), factor=0.5), True, True),
    (s.Scale(s.Constant(0.1), factor=0.0), False, True),
]


# what falls so slowly that no number tells
TELLING = [case for case in CASES if getattr(case[0], "decay", 1) != 1e-20]


def label(case):
    return f"{type(case).__name__}" if isinstance(case, Schedule) else str(case)[0]


@pytest.mark.parametrize(("schedule", "diverges", "squares_converge"), CASES, ids=label)
def test_by_analysis(schedule, diverges, squares_converge):
    answer = robbins_monro(schedule)
    assert answer.by == "analysis"
    assert answer.sum_diverges is diverges
    assert answer.sum_of_squares_converges is squares_converge
    assert answer.satisfied is (diverges and squares_converge)
    assert answer.reason.endswith(".")


def test_the_reason_names_the_part_that_counts():
    reason = robbins_monro(s.Constant(0.1).then(s.Cosine(0.1, total=9), after=9)).reason
    assert reason.startswith("What counts is its last part, Cosine: The rate is 0 from some")


def test_every_schedule_is_analysed():
    assert {type(schedule).__name__ for schedule, *_ in CASES} == set(members("schedules"))


@pytest.mark.parametrize(("schedule", "diverges", "squares_converge"), TELLING[::3], ids=label)
def test_numbers_agree_with_the_analysis(schedule, diverges, squares_converge):
    tail = _numerically(schedule, None)
    assert (tail.diverges, tail.squares_converge) == (diverges, squares_converge)


@pytest.mark.parametrize(
    ("schedule", "diverges", "squares_converge"),
    [
        (keras.optimizers.schedules.InverseTimeDecay(0.1, 10, 1.0), True, True),
        (keras.optimizers.schedules.CosineDecay(0.1, 10), False, True),
        (keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5), False, True),
        (s.WarmUp(keras.optimizers.schedules.PolynomialDecay(0.1, 10, 0.01)), True, False),
    ],
)
def test_numerically(schedule, diverges, squares_converge):
    answer = robbins_monro(schedule, fit=s.FitLength(100, 10))
    assert answer.by == "numerically"
    assert "no proof" in answer.reason
    assert answer.sum_diverges is diverges
    assert answer.sum_of_squares_converges is squares_converge


class Own(schedules.Constant):
    """What holds for the base does not hold here."""

    def at(self, step, fit):
        return self.learning_rate / ops.sqrt(1 + ops.cast(step, "float32"))


def test_a_subclass_is_not_taken_for_its_base():
    answer = robbins_monro(Own(0.1))
    assert answer.by == "numerically"
    assert (answer.sum_diverges, answer.sum_of_squares_converges) == (True, False)


def test_the_sums_themselves():
    steps = np.arange(1, 2**18)
    rates = s.InverseDecay(1.0, every=1).values(steps)
    assert np.square(rates).sum() < np.pi**2 / 6
    assert rates.sum() == pytest.approx(np.log(2**18) + np.euler_gamma - 1, abs=1e-4)
