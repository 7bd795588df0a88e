"""What a learning curve does: its noise, its level, how much it falls."""

from typing import Any

import numpy as np

_SIGMA = 1 / (0.6745 * np.sqrt(6.0))  # median |second difference| of white noise, in its sigmas


def noise(values: Any) -> float:
    """Returns the standard deviation of what scatters around a smooth curve, robustly.

    The second differences of white noise of variance s^2 have the variance 6 s^2, those of a smooth
    curve are small; their median magnitude is not moved by a few jumps.

    Example:
    >>> noise([5.0, 4.0, 3.0, 2.0]), noise([1.0, 2.0])
    (0.0, 0.0)
    """
    values = np.asarray(values, "float64")
    if len(values) < 3:
        return 0.0
    return float(np.median(np.abs(np.diff(values, 2))) * _SIGMA)


def smooth(values: Any) -> np.ndarray:
    """Returns the running median over five epochs, over fewer at the ends.

    Example:
    >>> smooth([3.0, 2.0, 9.0, 2.0, 1.0]).tolist()
    [3.0, 2.5, 2.0, 2.0, 2.0]
    """
    values = np.asarray(values, "float64")
    return np.array([np.median(values[max(0, i - 2) : i + 3]) for i in range(len(values))])


def fall(values: Any) -> float:
    """Returns by how much a curve falls from its first to its last value, robustly.

    It is minus the median of the slopes between all pairs of epochs (Theil and Sen), times the
    length.

    Example:
    >>> fall([4.0, 3.0, 9.0, 1.0])
    3.0
    """
    values = np.asarray(values, "float64")
    first, last = np.triu_indices(len(values), 1)
    if not len(first):
        return 0.0
    slopes = (values[last] - values[first]) / (last - first)
    return -float(np.median(slopes)) * (len(values) - 1)


def turns(values: Any) -> float:
    """Returns in how many of its inner epochs a curve changes direction: 2/3 for white noise.

    Example:
    >>> turns([1.0, 2.0, 1.0, 2.0]), turns([4.0, 3.0, 2.0, 1.0])
    (1.0, 0.0)
    """
    steps = np.sign(np.diff(np.asarray(values, "float64")))
    if len(steps) < 2:
        return 0.0
    return float(np.mean(steps[1:] * steps[:-1] < 0))
