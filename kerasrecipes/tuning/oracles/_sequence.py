"""Points that fill the unit cube evenly."""

import inspect

import numpy as np
from scipy.stats import qmc

_SEED = "rng" if "rng" in inspect.signature(qmc.Sobol).parameters else "seed"


def sobol(axes: int, seed: int, *, first: int = 0, number: int = 1) -> np.ndarray:
    """Returns points of a Sobol sequence, scrambled by the seed, from the index `first` on.

    Example:
    >>> points = sobol(2, 0, number=4)
    >>> sorted((2 * points[:, 0]).astype(int).tolist())  # two in each half
    [0, 0, 1, 1]
    """
    engine = qmc.Sobol(max(axes, 1), scramble=True, **{_SEED: np.random.default_rng(seed)})
    if first:
        engine.fast_forward(first)
    return np.concatenate([engine.random(1) for _ in range(number)])[:, :axes]
