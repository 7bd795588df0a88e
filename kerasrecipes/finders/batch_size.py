"""The search for batch sizes that fit, and for the fastest."""

import os
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from kerasrecipes._arrays import leaves
from kerasrecipes._checks import InputError, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.finders._checks import check_model
from kerasrecipes.finders.batch_size_result import BatchSizeResult

_LARGEST = 2**16
_SHARE_OF_AVAILABLE = 0.9
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_MEMORY = re.compile(r"(\d+\.?\d*|\.\d+)\s*([kmg]i?|)b?", re.IGNORECASE)


@export("finders", saved=False)
def batch_size(
    model: keras.Model,
    data: Any,
    *,
    memory: float | str | None = None,
    smallest: int = 16,
    largest: int | None = None,
    precision: float = 1 / 16,
    seconds: float = 0.5,
    imports: Sequence[str] = (),
) -> BatchSizeResult:
    """Tries batch sizes: the largest that fits in memory, and the fastest.

    Sizes double from `smallest` on until one does not fit; then the interval between it and the
    last that did is halved until it is narrow. Each is trained by `fit` for a few updates and
    timed. All of it happens to a copy of the model in a process of its own, which is ended when it
    takes more than `memory`, and which Linux ends first when memory runs out: neither the model
    nor this process is harmed.

    The batches are made of the rows of one batch of the data, repeated, so the data set itself
    takes no memory there. On a CPU the memory is that of the whole process, TensorFlow included;
    on a GPU it is that of the arrays. Let no other process hold the GPU's memory. TensorFlow takes
    all of it for the model itself, unless TF_FORCE_GPU_ALLOW_GROWTH=true is set before it starts.

    The largest and the fastest batch are seldom the best to learn with: see the guide.

    Args:
        model: A compiled model on one device, which is saved and loaded for this.
        data: Arrays (x, y) or (x, y, sample_weight), or what else `fit` takes as `x`.
        memory: Bytes that may be taken, or a string such as "2 GiB" or "500MB". Defaults to None:
            on a CPU nine tenths of what is available now, on a GPU all that it has.
        smallest: Size to begin with, int >= 1. Defaults to 16.
        largest: Size to end with. Defaults to None, the rows of the data, 65,536 if unknown.
        precision: Width of the interval to end with, as a share of the size. Defaults to 1/16.
        seconds: How long each size is timed. Defaults to 0.5.
        imports: Names of modules that the process imports first, which register the classes that
            the model needs. Defaults to ().

    Returns: The sizes that fit, with their speed and memory; `largest` and `fastest`.

    Raises: InputError if no size fits, if the model cannot be saved and loaded, and for arguments
        outside the above.

    Example:
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> data = np.ones((40, 4)), np.ones((40, 1))
    >>> result = batch_size(model, data, smallest=20, seconds=0.01)
    >>> result.sizes.tolist(), result.ended
    ([20, 40], 'the largest size, 40, fits')
    """
    check_model(model)
    if os.name != "posix":
        raise InputError("`batch_size` needs a system with POSIX processes, such as Linux.")
    if model.distribute_strategy.num_replicas_in_sync > 1:
        remedy = "Build it without a strategy, and multiply the result by the replicas."
        fail("model", "on one device", "one on several replicas", remedy)
    smallest = check_int("smallest", smallest, low=1)
    largest = _rows(data) if largest is None else check_int("largest", largest, low=smallest)
    largest = max(largest, smallest)
    precision = check_number("precision", precision, low=0.0, high=1.0)
    seconds = check_number("seconds", seconds, low=0.0)
    if isinstance(imports, str) or not all(isinstance(name, str) for name in imports):
        fail("imports", "a list of names of modules", imports)
    on_gpu = any("gpu" in device.lower() for device in keras.distribution.list_devices())
    limit = _limit(memory, on_gpu)
    from kerasrecipes.finders._data import fit_arguments
    from kerasrecipes.finders._prober import Prober
    from kerasrecipes.finders._sample import first_batch

    began = time.perf_counter()
    batch = first_batch(model, fit_arguments(data, None, 1))
    how = {"limit": limit, "on_gpu": on_gpu, "seconds": seconds, "imports": imports}
    with Prober(model, batch, **how) as prober:
        trials = tried(prober, smallest, largest, precision)
    return _result(trials, limit, largest, time.perf_counter() - began)


def tried(probe: Callable[[int], Any], smallest: int, largest: int, precision: float) -> list[Any]:
    """Returns the trials of a search by powers of two, then by halves."""
    trials: list[Any] = []

    def fits(size: int) -> bool:
        trials.append(probe(size))
        return not trials[-1].why_not

    low, high, size = 0, largest + 1, smallest
    while low < largest:
        if not fits(size):
            high = size
            break
        low, size = size, min(2 * size, largest)
    while high <= largest and high - low > max(1, int(precision * low)):
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return trials


def _result(
    trials: Sequence[Any], limit: int | None, largest: int, seconds: float
) -> BatchSizeResult:
    order = sorted(trials, key=lambda trial: trial.batch_size)
    good = [trial for trial in order if not trial.why_not]
    failed = {trial.batch_size: trial.why_not for trial in order if trial.why_not}
    if not good:
        size, why = min(failed.items())
        raise InputError(f"`memory` must be enough for a batch of {size}: {why}.")
    sizes = np.array([trial.batch_size for trial in good])
    times = np.array([trial.seconds_per_step for trial in good])
    ended = f"the largest size, {largest}, fits"
    if failed:
        ended = f"{sizes[-1]} fits, {min(failed)} does not"
    return BatchSizeResult(
        sizes=sizes,
        examples_per_second=sizes / times,
        memory=np.array([trial.memory for trial in good]),
        failed=failed,
        limit=limit,
        ended=ended,
        seconds=seconds,
    )


def _rows(data: Any) -> int:
    if isinstance(data, (tuple, list)) and data:
        return len(leaves(data[0])[0])
    return getattr(data, "rows", None) or _LARGEST


def _limit(memory: Any, on_gpu: bool) -> int | None:
    """Returns the memory in bytes that a process may take, None for all that a GPU has."""
    from kerasrecipes.finders._prober import available

    if memory is None:
        if on_gpu:
            return None
        left = available()
        return None if left is None else int(_SHARE_OF_AVAILABLE * left)
    if isinstance(memory, str):
        found = _MEMORY.fullmatch(memory.strip())
        if found is None:
            fail("memory", 'bytes, or a string such as "2 GiB" or "500MB"', memory)
        memory = float(found[1]) * _UNITS[found[2].lower()]
    return int(check_number("memory", memory, low=0.0, open_low=True))
