"""The conditions of Robbins and Monro on a schedule."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from kerasrecipes._checks import fail
from kerasrecipes.schedules.constant import Constant
from kerasrecipes.schedules.cos_log import CosLog
from kerasrecipes.schedules.cosine import Cosine
from kerasrecipes.schedules.cosine_restarts import CosineRestarts
from kerasrecipes.schedules.cyclical import Cyclical
from kerasrecipes.schedules.duration import FitLength
from kerasrecipes.schedules.exponential_decay import ExponentialDecay
from kerasrecipes.schedules.flat_cosine import FlatCosine
from kerasrecipes.schedules.inverse_decay import InverseDecay
from kerasrecipes.schedules.multiplicative_decay import MultiplicativeDecay
from kerasrecipes.schedules.one_cycle import OneCycle
from kerasrecipes.schedules.part import rate_at
from kerasrecipes.schedules.piecewise import Piecewise
from kerasrecipes.schedules.polynomial_decay import PolynomialDecay
from kerasrecipes.schedules.scale import Scale
from kerasrecipes.schedules.schedule import Schedule
from kerasrecipes.schedules.step_decay import StepDecay
from kerasrecipes.schedules.then import Then
from kerasrecipes.schedules.warm_up import WarmUp
from kerasrecipes.schedules.warmup_stable_decay import WarmupStableDecay


@dataclasses.dataclass(frozen=True)
class RobbinsMonro:
    """What `robbins_monro` found.

    Attributes:
        sum_diverges: Whether the sum of the rates over all updates is infinite.
        sum_of_squares_converges: Whether the sum of their squares is finite.
        reason: Why.
        by: "analysis" of the closed form, or "numerically", which is evidence and no proof.

    Example:
    >>> import kerasrecipes as kr
    >>> answer = kr.schedules.robbins_monro(kr.schedules.StepDecay(0.1, every=100))
    >>> answer.sum_diverges, answer.sum_of_squares_converges, answer.satisfied
    (False, True, False)
    """

    sum_diverges: bool
    sum_of_squares_converges: bool
    reason: str
    by: str

    @property
    def satisfied(self) -> bool:
        """Whether both hold."""
        return self.sum_diverges and self.sum_of_squares_converges


def robbins_monro(schedule: LearningRateSchedule, *, fit: FitLength | None = None) -> RobbinsMonro:
    """Checks whether a schedule meets the conditions of stochastic approximation.

    They are sum eta_t = infinity (the optimum is in reach, however far) and sum eta_t ** 2 <
    infinity (the noise dies out), over t = 0, 1, ... without end, so what counts is the rate
    long after a fit of usual length. The schedules of this package are decided by analysis of
    the closed form. Any other is sampled in the blocks [2 ** k, 2 ** (k + 1)) up to 2 ** 24: the
    sum of a series converges if the sums over its blocks fall geometrically.

    Args:
        schedule: Schedule of this package or of Keras.
        fit: Length of the fit, for a schedule of your own whose lengths are relative. Defaults
            to None, the one the schedule is bound to.

    Example:
    >>> import kerasrecipes as kr
    >>> answer = robbins_monro(kr.schedules.InverseDecay(0.1, every=1))
    >>> answer.satisfied, answer.by
    (True, 'analysis')
    >>> robbins_monro(kr.schedules.Constant(0.1)).reason
    'The rate stays at 0.1 for ever, and so does its square.'

    Reference: Robbins & Monro 1951, Annals of Mathematical Statistics 22(3).
    """
    if not isinstance(schedule, LearningRateSchedule):
        fail("schedule", "a schedule", schedule)
    innermost: Any = schedule
    while type(innermost) in _LAST_PART:
        if isinstance(innermost, Scale) and innermost.factor == 0:
            return _answer(_ends_at(0.0), "analysis")
        innermost = _LAST_PART[type(innermost)](innermost)
    analyse = _ANALYSES.get(type(innermost))
    if analyse is None:
        return _answer(_numerically(schedule, fit), "numerically")
    tail = analyse(innermost)
    if innermost is not schedule:
        reason = f"What counts is its last part, {type(innermost).__name__}: {tail.reason}"
        tail = tail._replace(reason=reason)
    return _answer(tail, "analysis")


class _Tail(NamedTuple):
    diverges: bool
    squares_converge: bool
    reason: str


def _answer(tail: _Tail, by: str) -> RobbinsMonro:
    return RobbinsMonro(tail.diverges, tail.squares_converge, tail.reason, by)


def _ends_at(rate: float) -> _Tail:
    if rate > 0:
        return _Tail(True, False, f"The rate stays at {rate:g} for ever, and so does its square.")
    return _Tail(False, True, "The rate is 0 from some update on, so both sums are finite.")


def _geometric(rate: float, *, falls: bool) -> _Tail:
    if not falls:
        return _ends_at(rate)
    return _Tail(False, True, "The rate falls geometrically, and so does its square.")


def _inverse(schedule: InverseDecay) -> _Tail:
    if schedule.decay == 0:
        return _ends_at(schedule.learning_rate)
    power = schedule.power
    reason = (
        f"The rate falls as t ** -{power:g}: its sum is infinite up to the power 1, the sum of "
        "its squares finite above 1/2."
    )
    return _Tail(power <= 1, power > 0.5, reason)


def _restarts(schedule: CosineRestarts) -> _Tail:
    if schedule.first is None or schedule.floor > 0:
        return _at_least(schedule.floor) if schedule.first is not None else _ends_at(schedule.floor)
    rates = schedule.growth * schedule.shrink
    squares = rates * schedule.shrink
    reason = (
        f"Cycle n adds to the sums in proportion to growth * shrink = {rates:g} and growth * "
        f"shrink ** 2 = {squares:g} to the power n; a sum is infinite from 1 on."
    )
    return _Tail(rates >= 1, squares < 1, reason)


def _cyclical(schedule: Cyclical) -> _Tail:
    if schedule.floor > 0:
        return _at_least(schedule.floor)
    if schedule.shrink == 1:
        return _Tail(True, False, "Each cycle adds the same to either sum.")
    return _Tail(False, True, "The cycles are of one length, and fall geometrically in height.")


def _at_least(rate: float) -> _Tail:
    return _Tail(True, False, f"The rate never falls below {rate:g}, nor its square.")


def _one_cycle(schedule: OneCycle) -> _Tail:
    return _ends_at(schedule.learning_rate / schedule.start_divisor / schedule.end_divisor)


def _piecewise(schedule: Piecewise) -> _Tail:
    return _ends_at(schedule.learning_rate * [1.0, *schedule.factors][-1])


# Keyed by exact type: a subclass may override `at`, and what holds for its base need not hold.
_LAST_PART: dict[type, Callable[[Any], Any]] = {
    Scale: lambda s: s.schedule,
    WarmUp: lambda s: s.schedule,
    Then: lambda s: s.other,
}
_ANALYSES: dict[type, Callable[[Any], _Tail]] = {
    Constant: lambda s: _ends_at(s.learning_rate),
    CosLog: lambda s: _ends_at(0.0),
    Cosine: lambda s: _ends_at(s.floor),
    CosineRestarts: _restarts,
    Cyclical: _cyclical,
    ExponentialDecay: lambda s: _geometric(s.learning_rate, falls=s.decay > 0),
    FlatCosine: lambda s: _ends_at(s.floor),
    InverseDecay: _inverse,
    MultiplicativeDecay: lambda s: _geometric(s.learning_rate, falls=s.decay_rate < 1),
    OneCycle: _one_cycle,
    Piecewise: _piecewise,
    PolynomialDecay: lambda s: _ends_at(s.floor),
    StepDecay: lambda s: _geometric(s.learning_rate, falls=s.decay_rate < 1),
    WarmupStableDecay: lambda s: _ends_at(s.floor),
}

_BLOCKS = 24
_SAMPLES = 64
_LAST = 4  # blocks whose trend decides


def _numerically(schedule: LearningRateSchedule, fit: FitLength | None) -> _Tail:
    if isinstance(schedule, Schedule) and fit is None:
        fit = schedule.checked_fit()
    generator = np.random.default_rng(0)
    sums = np.zeros((2, _BLOCKS))
    for k in range(_BLOCKS - _LAST - 1, _BLOCKS):
        edges = np.linspace(2**k, 2 ** (k + 1), _SAMPLES + 1)
        steps = generator.uniform(edges[:-1], edges[1:]).astype("int64")
        rates = np.array([_rate(schedule, step, fit) for step in steps])
        sums[:, k] = 2**k * rates.mean(), 2**k * np.square(rates).mean()
    (diverges, ratio), (squares_diverge, square_ratio) = map(_diverges, sums[:, -_LAST - 1 :])
    reason = (
        f"Sampled up to update 2 ** {_BLOCKS}: from one doubling to the next, the sum of the "
        f"rates grows by terms in the ratio {ratio:.3g}, that of their squares {square_ratio:.3g}; "
        "a sum is taken to be infinite from 0.99 on. This is evidence, no proof."
    )
    return _Tail(diverges, not squares_diverge, reason)


def _rate(schedule: LearningRateSchedule, step: int, fit: FitLength | None) -> float:
    return float(rate_at(schedule, ops.convert_to_tensor(float(step), "float32"), fit))


def _diverges(blocks: np.ndarray) -> tuple[bool, float]:
    """Returns whether sums over blocks that double add up to infinity, and their mean ratio."""
    if blocks[-1] <= 0:
        return False, 0.0
    ratio = (blocks[-1] / blocks[0]) ** (1 / (len(blocks) - 1)) if blocks[0] > 0 else math.inf
    return bool(ratio >= 0.99), float(ratio)
