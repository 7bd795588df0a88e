"""What a curve of loss against learning rate tells."""

import dataclasses
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

CLIMB = 0.9
"""Share of what the loss had gained that it must lose again to have diverged."""
_BEGUN = 0.1
_MEDIAN_OF = 5
_NOISE_OF_MEDIANS = float(np.sqrt(np.pi / 2))  # that of a mean is 1
_NOISE_OF_CLIMB = 10.0
_NOISE_OF_FALL = 6.0
_NOISE_OF_START = 2.0
_EARLY = 0.05
_ROUNDING = 1e-4


def smooth(values: np.ndarray, smoothing: float) -> np.ndarray:
    """Returns the bias-corrected moving average: sum of b^(t-k) v_k over sum of b^(t-k), k <= t.

    Example:
    >>> smooth(np.array([2.0, 2.0, 5.0]), 0.5).round(4).tolist()
    [2.0, 2.0, 3.7143]
    """
    smoothed, total, weight = np.empty(len(values)), 0.0, 0.0
    for index, value in enumerate(values):
        total = smoothing * total + (1 - smoothing) * value
        weight = smoothing * weight + (1 - smoothing)
        smoothed[index] = total / weight
    return smoothed


def medians(values: np.ndarray) -> np.ndarray:
    """Returns the median of each value and the four before it, fewer at the beginning.

    Example:
    >>> medians(np.array([1.0, 3.0, 2.0, 99.0, 4.0, 5.0])).tolist()
    [1.0, 2.0, 2.0, 2.5, 3.0, 4.0]
    """
    first = [np.median(values[:end]) for end in range(1, min(_MEDIAN_OF, len(values) + 1))]
    if len(values) < _MEDIAN_OF:
        return np.array(first)
    return np.append(first, np.median(sliding_window_view(values, _MEDIAN_OF), axis=1))


@dataclasses.dataclass(frozen=True, eq=False)
class Curve:
    """The losses of a range test so far, and what follows from them.

    Everything is relative to how far the loss has fallen and how noisy it is, so that a loss
    may be negative: adding a constant to it changes nothing.

    Attributes:
        rates: Rates of the updates, float64, (n,).
        losses: Loss of the batch that each update was made on, float64, (n,).
        smoothing: Share of the average that is kept, in [0, 1).
        calm: Updates at the beginning, at rates too low to matter, which tell level and noise.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothing: float
    calm: int

    def first(self, count: int) -> "Curve":
        """Returns the curve of the first updates."""
        return dataclasses.replace(self, rates=self.rates[:count], losses=self.losses[:count])

    @cached_property
    def smoothed(self) -> np.ndarray:
        """The bias-corrected average of running medians, which one wild batch does not move."""
        return smooth(medians(self.losses), self.smoothing)

    @cached_property
    def smoothed_rates(self) -> np.ndarray:
        """The same of the logarithms of the rates, so that the pair does not lag."""
        return np.exp(smooth(medians(np.log(self.rates)), self.smoothing))

    @cached_property
    def level(self) -> float:
        """The loss at the beginning."""
        return float(np.mean(self.losses[: self.calm]))

    @cached_property
    def noise(self) -> float:
        """Standard deviation of a smoothed loss, from differences, which see no trend."""
        steps = np.diff(self.losses[: self.calm])
        deviation = np.sqrt(np.mean(steps**2) / 2) if len(steps) else 0.0
        kept = np.sqrt((1 - self.smoothing) / (1 + self.smoothing))
        return float(_NOISE_OF_MEDIANS * deviation * kept)

    @cached_property
    def lowest(self) -> int:
        """The index of the lowest smoothed loss after the calm beginning."""
        begin = min(self.calm, len(self.losses)) - 1
        return begin + int(np.argmin(self.smoothed[begin:]))

    @property
    def fall(self) -> float:
        """How far the smoothed loss has fallen, >= 0."""
        return max(self.level - float(self.smoothed[self.lowest]), 0.0)

    @property
    def rounding(self) -> float:
        """A difference of losses that means nothing."""
        return _ROUNDING * abs(self.level)

    @property
    def has_learned(self) -> bool:
        """Whether the loss has fallen by more than noise and rounding."""
        return self.fall > max(_NOISE_OF_FALL * self.noise, self.rounding)

    @cached_property
    def ceilings(self) -> np.ndarray:
        """The loss above which a training has diverged, as known after each update."""
        so_far = np.minimum.accumulate(self.smoothed[self.calm :])
        lowest = np.minimum(so_far, self.level)
        least = max(_NOISE_OF_CLIMB * self.noise, self.rounding)
        return lowest + np.maximum(CLIMB * (self.level - lowest), least)

    def diverged(self) -> int | None:
        """Returns the first update at which the smoothed loss is above its ceiling, or None."""
        if len(self.losses) <= self.calm:
            return None
        high = self.smoothed[self.calm :] > self.ceilings
        return self.calm + int(np.argmax(high)) if high.any() else None

    def onset(self, update: int) -> int:
        """Returns the update at which the climb begins that is above its ceiling at `update`.

        The smoothed loss gets there late: the rates of a test grow several times over while it
        climbs. So this is the last update at which the median of the five losses around it had
        lost no more than a tenth of the fall, or noise.
        """
        so_far = min(float(self.smoothed[self.calm : update + 1].min()), self.level)
        band = max(_BEGUN * (self.level - so_far), _NOISE_OF_START * self.noise, self.rounding)
        low = np.flatnonzero(medians(self.losses[: update + 1]) <= so_far + band)
        last = int(low[-1]) if len(low) else 0
        return (max(0, last - _MEDIAN_OF + 1) + last) // 2

    @cached_property
    def departure(self) -> int:
        """The last update before the lowest loss at which the loss is as at the beginning."""
        band = max(_NOISE_OF_START * self.noise, _EARLY * self.fall)
        as_before = np.flatnonzero(self.smoothed[: self.lowest] >= self.level - band)
        return int(as_before[-1]) if len(as_before) else 0

    def valley(self) -> float:
        """Returns the middle, on the logarithmic axis, of the descent to the lowest loss."""
        rates = self.smoothed_rates
        return float(np.sqrt(rates[self.departure] * rates[self.lowest]))

    def steepest(self) -> float:
        """Returns where in the descent the loss falls fastest over log(rate).

        The slope is that over as many updates as the average remembers.
        """
        reach = max(1, round(0.5 / (1 - self.smoothing)))
        within = np.arange(self.departure, self.lowest + 1)
        left = np.maximum(within - reach, 0)
        right = np.minimum(within + reach, len(self.losses) - 1)
        logs = np.log(self.smoothed_rates)
        slopes = (self.smoothed[right] - self.smoothed[left]) / (logs[right] - logs[left])
        return float(self.smoothed_rates[within[int(np.argmin(slopes))]])


def suggestions(curve: Curve, diverged: float | None) -> dict[str, float]:
    """Returns the rates that a curve suggests, by name; those that it does not tell are missing."""
    found = {}
    if curve.has_learned:
        found["valley"] = curve.valley()
        found["steepest"] = curve.steepest()
        found["minimum_over_10"] = float(curve.smoothed_rates[curve.lowest]) / 10
    if diverged is not None:
        found["half_of_divergence"] = diverged / 2
    return found
