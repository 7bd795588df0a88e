"""What training on several workers will gain, estimated from steps on one."""

from collections.abc import Sequence
from typing import Any, Literal

import keras

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, check_choice, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.distribute import _step_time
from kerasrecipes.distribute.scaling_plan import ScalingPlan, ScalingRow
from kerasrecipes.optimizers.sam import SAM


@export("distribute", saved=False)
def plan(
    model: keras.Model,
    *,
    workers: int | Sequence[int],
    bandwidth: float,
    batch_size: int,
    data: Any = None,
    scaling: Literal["strong", "weak"] = "strong",
    latency: float = 5e-5,
    steps: int = 20,
) -> ScalingPlan:
    """Estimates what synchronous training on several workers gains, before one has them.

    A worker is one device with a copy of the model. With N workers, gradients of G bytes that
    are summed k times a step, bandwidth b and latency l, a ring all-reduce takes
        t_sum = k (2 (N - 1) / N * G / b + 2 (N - 1) l)
    and a step takes t(n) + t_sum, with t(n) the time of a step on the n rows of one worker. That
    is the median of measured steps of `train_on_batch` on this device, after some that are not
    counted. All that they change is set back: weights, optimizer, metrics, seeds.

    "strong" scaling divides a batch of `batch_size` rows, so n = batch_size / N; "weak" scaling
    gives n = batch_size rows to each worker. k is 2 for optimizers of this package that clip,
    accumulate, guard or measure (they need the sum before Keras takes it), 2 more for `SAM`,
    else 1.

    Not in the estimate: reading data, synchronised batch normalisation, workers that wait for the
    slowest, and communication that runs while gradients are still computed, which would be
    faster. Workers that share this machine are slower than its sum.

    Args:
        model: A compiled model that trains on one device.
        workers: Numbers of workers, ints >= 1; or one int for 1, 2, 4, ... up to that.
        bandwidth: Of the slowest link between neighbours, in each direction, bytes per second,
            float > 0. Ethernet of 10 Gbit/s has 1.25e9.
        batch_size: Rows in a batch, int >= 1: of all workers together with "strong" scaling, of
            each with "weak".
        data: `(x, y)` or `(x, y, sample_weight)` of arrays, whose rows are used again and again.
            Defaults to None: random inputs of the model's shapes, and labels of zeros.
        scaling: "strong" or "weak". Defaults to "strong".
        latency: Time for a message without content to the next worker, seconds >= 0. Defaults to
            5e-5, about that of TCP within a room.
        steps: How many steps to time for each number of rows, int >= 1. Defaults to 20.

    Returns: A `ScalingPlan`.

    Raises: InputError for a model that is not compiled or trains on several devices, for one
        whose data cannot be made up, and if a batch does not divide evenly among the workers.

    Example:
    >>> import kerasrecipes as kr
    >>> model = kr.recipes.mlp((784,), kr.targets.Multiclass(10), hidden=(100, 100))
    >>> found = plan(model, workers=4, bandwidth=1.25e9, batch_size=256, steps=3)
    >>> found.gradient_bytes
    359240
    >>> [(row.workers, row.batch_size, round(row.all_reduce_seconds, 4)) for row in found.rows]
    [(1, 256, 0.0), (2, 128, 0.0008), (4, 64, 0.0015)]

    Reference: Patarasuk & Yuan 2009, doi:10.1016/j.jpdc.2008.09.002; Thakur et al. 2005,
        doi:10.1177/1094342005051521.
    """
    _check_model(model)
    check_int("batch_size", batch_size, low=1)
    check_choice("scaling", scaling, ("strong", "weak"))
    remedy = "It is in bytes, not bits, per second."
    bandwidth = check_number("bandwidth", bandwidth, low=0.0, open_low=True, remedy=remedy)
    latency = check_number("latency", latency, low=0.0)
    check_int("steps", steps, low=1)
    counts = _counts(workers)
    each = {n: _share(batch_size, n) if scaling == "strong" else batch_size for n in {1, *counts}}
    compute = _step_time.measure(model, sorted(set(each.values())), data=data, steps=steps)
    size, sums = gradient_bytes(model), all_reduces(model.optimizer)
    alone = each[1] / compute[each[1]]
    rows = []
    for count in counts:
        reduce = sums * ring_all_reduce(count, size, bandwidth, latency)
        step = compute[each[count]] + reduce
        speed = count * each[count] / step
        efficiency = speed / (count * alone)
        time = compute[each[count]]
        rows.append(ScalingRow(count, each[count], time, reduce, step, speed, efficiency))
    return ScalingPlan(tuple(rows), batch_size, scaling, size, sums, bandwidth, latency)


def ring_all_reduce(workers: int, size: int, bandwidth: float, latency: float) -> float:
    """Returns the seconds that a ring all-reduce of `size` bytes takes; see `plan`."""
    messages = 2 * (workers - 1)
    return messages / workers * size / bandwidth + messages * latency


def gradient_bytes(model: keras.Model) -> int:
    """Returns the bytes of the gradients, which have the dtypes of the weights."""
    sizes = (keras.ops.size(v) * _item_size(v.dtype) for v in model.trainable_variables)
    return int(sum(map(int, sizes)))


def _item_size(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else int("".join(filter(str.isdigit, dtype))) // 8


def all_reduces(optimizer: Any) -> int:
    """Returns how often a step of the optimizer sums all gradients over the replicas."""
    inner = _keras_internals.inner_optimizer(optimizer)
    first = (
        bool(getattr(inner, "clipping", False))
        or getattr(inner, "accumulation_steps", 1) > 1
        or getattr(inner, "track_updates", False)
        or bool(getattr(inner, "hooks", ()))
    )
    climbs = sum(type(each) is SAM for each in _keras_internals.wrapped(optimizer))
    return 1 + first + 2 * climbs


def _check_model(model: Any) -> None:
    if not isinstance(model, keras.Model):
        fail("model", "a Keras model", model)
    if not model.compiled or model.optimizer is None:
        raise InputError(f"`model` must be compiled. Received: {model.name!r}, which is not.")
    strategy = getattr(model, "distribute_strategy", None)
    if strategy is not None and strategy.num_replicas_in_sync > 1:
        raise InputError(
            f"`model` must train on one device, whose step is timed. Received: {model.name!r} "
            f"under a {type(strategy).__name__}. Build it outside of the strategy's scope."
        )


def _counts(workers: Any) -> list[int]:
    if isinstance(workers, Sequence) and not isinstance(workers, str) and len(workers):
        return [check_int("workers", count, low=1) for count in workers]
    last = check_int("workers", workers, low=1, remedy="Or give several, such as (1, 2, 4).")
    powers = [2**power for power in range(last.bit_length())]
    return powers if powers[-1] == last else [*powers, last]


def _share(batch_size: int, workers: int) -> int:
    if batch_size % workers:
        raise InputError(
            f"`batch_size` must be a multiple of each number of workers, {workers} among them, to "
            f'be divided evenly. Received: {batch_size}. Or give `scaling="weak"`.'
        )
    return batch_size // workers
