"""The order of rows in each epoch: a pure function of seed and epoch."""

import random
import threading
import weakref

import numpy as np

from kerasrecipes._checks import check_int
from kerasrecipes._export import export

_ORDERS: "weakref.WeakSet[EpochOrder]" = weakref.WeakSet()


@export("data", saved=False)
def permutation(rows: int, *, seed: int, epoch: int) -> np.ndarray:
    """Returns the order of `rows` rows in `epoch`, a pure function of its arguments.

    Row i gets the i-th 64-bit word of `PCG64(SeedSequence([seed, epoch]))` as its key; the order
    sorts the keys. NumPy fixes that bit stream for good (NEP 19), which it does not for
    `Generator.permutation`, so the order is the same on every machine and NumPy version.

    Args:
        rows: Number of rows, int >= 0.
        seed: Integer >= 0.
        epoch: Epoch, int >= 0.

    Returns: int64 array of shape (rows,), each of 0 to rows - 1 once.

    Example:
    >>> permutation(6, seed=0, epoch=0).tolist(), permutation(6, seed=0, epoch=1).tolist()
    ([3, 2, 1, 0, 4, 5], [4, 5, 1, 2, 0, 3])
    """
    rows = check_int("rows", rows, low=0)
    entropy = [check_int("seed", seed, low=0), check_int("epoch", epoch, low=0)]
    keys = np.random.PCG64(np.random.SeedSequence(entropy)).random_raw(rows)
    return np.argsort(keys, kind="stable").astype("int64")


@export("data", saved=False)
def begin_epoch(epoch: int) -> None:
    """Tells every shuffled dataset made by `batches` which epoch comes next.

    The callbacks of `kerasrecipes` call this in `on_epoch_begin`, before Keras asks for the first
    batch. So `fit(initial_epoch=k)` sees the order of epoch k, as the uninterrupted run did.

    Args:
        epoch: The epoch that begins, int >= 0.

    Example:
    >>> import kerasrecipes as kr
    >>> dataset = kr.data.batches([1.0, 2.0], seed=0)
    >>> begin_epoch(3)
    >>> dataset.epoch
    3
    """
    epoch = check_int("epoch", epoch, low=0)
    for order in list(_ORDERS):
        order.epoch = epoch


def resolve_seed(seed: int | None) -> int:
    """Returns `seed`, or a fresh one from Python's generator, which Keras' global seed sets."""
    if seed is None:
        return random.randrange(2**31)
    return check_int("seed", seed, low=0)


class EpochOrder:
    """Counts the passes over a dataset; each pass that starts takes the next epoch.

    Keras makes more iterators than it reads from, so the count moves when the first batch of a
    pass is asked for, not when an iterator is made.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._epoch = 0
        self._lock = threading.Lock()
        _ORDERS.add(self)

    @property
    def epoch(self) -> int:
        """The epoch of the next pass."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        with self._lock:
            self._epoch = check_int("epoch", epoch, low=0)

    def start(self) -> int:
        """Returns the epoch of the pass that starts now, and moves to the next."""
        with self._lock:
            epoch = self._epoch
            self._epoch += 1
        return epoch

    def start_permutation(self, rows: int) -> np.ndarray:
        """Returns the order of the pass that starts now."""
        return permutation(rows, seed=self.seed, epoch=self.start())

    def start_seed(self) -> np.int64:
        """Returns a scalar int64 seed for the pass that starts now."""
        entropy = [self.seed, self.start()]
        word = np.random.SeedSequence(entropy).generate_state(1, "uint64")[0]
        return np.int64(word >> np.uint64(1))
