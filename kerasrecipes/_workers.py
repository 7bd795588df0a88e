"""What the workers of a training on several hosts have to agree on."""

import json
import weakref
from collections.abc import Callable
from typing import Any

import keras

_WORD = 4
_SUMS: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def strategy_of(model: Any) -> Any:
    """Returns the model's `tf.distribute` strategy if it is one of several workers, else None."""
    return several(getattr(model, "distribute_strategy", None))


def several(strategy: Any) -> Any:
    """Returns the strategy if it is one of several workers, else None."""
    if strategy is None or keras.config.backend() != "tensorflow":
        return None
    import tensorflow as tf

    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return None
    return strategy if strategy.cluster_resolver.cluster_spec() else None


def is_chief(strategy: Any) -> bool:
    """Returns whether this process is the one that writes files; it is if it is alone."""
    if strategy is None:
        return True
    resolver = strategy.cluster_resolver
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (not has_chief and resolver.task_id == 0)


def place(strategy: Any) -> tuple[int, int]:
    """Returns the number of workers, and which of them this is, from 0 (the chief)."""
    if strategy is None:
        return 1, 0
    resolver = strategy.cluster_resolver
    jobs = resolver.cluster_spec().as_dict()
    before = 0 if resolver.task_type == "chief" else len(jobs.get("chief", ()))
    return sum(len(jobs.get(job, ())) for job in ("chief", "worker")), before + resolver.task_id


def least(strategy: Any, number: int) -> int:
    """Returns the smallest number of all workers. All have to call it, at the same point."""
    if strategy is None:
        return number
    import numpy as np

    count, index = place(strategy)
    mine = np.zeros(count, "int32")
    mine[index] = number
    return int(_sum(strategy, mine).min())


def from_chief(strategy: Any, value: Any) -> Any:
    """Returns the chief's value on every worker. All have to call it, at the same point.

    Args:
        strategy: The strategy of several workers, or None, which gives `value` back.
        value: Bytes, or what JSON can hold; those of the other workers do not matter.
    """
    if strategy is None:
        return value
    import numpy as np

    raw = isinstance(value, bytes)
    mine = b""
    if is_chief(strategy):
        mine = b"b" + value if raw else b"j" + json.dumps(value).encode()
    length = int(_sum(strategy, np.array([len(mine)], "int32"))[0])
    padded = mine.ljust(-(-length // _WORD) * _WORD, b"\0")
    whole = _sum(strategy, np.frombuffer(padded, "int32")).tobytes()[:length]
    return whole[1:] if whole[:1] == b"b" else json.loads(whole[1:])


def any_worker(strategy: Any, flag: bool) -> bool:
    """Returns whether the flag is set on any worker. All have to call it, at the same point."""
    if strategy is None:
        return flag
    import numpy as np

    return bool(_sum(strategy, np.array([flag], "int32"))[0])


def chief_tries(strategy: Any, action: Callable[[], Any]) -> Any:
    """Returns what `action` gives on the chief, on every worker; or raises its error on every one.

    `action` runs on the chief only, and returns bytes, or what JSON can hold.
    """
    if strategy is None:
        return action()
    result: Any = None
    error: Exception | None = None
    if is_chief(strategy):
        try:
            result = action()
        except Exception as caught:
            error = caught
    said = from_chief(strategy, None if error is None else str(error))
    if error is not None:
        raise error
    if said is not None:
        raise RuntimeError(f"The chief worker failed: {said}")
    return from_chief(strategy, result)


def _sum(strategy: Any, value: Any) -> Any:
    """Returns the sum over all workers of an int32 vector that each gives once."""
    if strategy not in _SUMS:
        _SUMS[strategy] = _summing(strategy)
    return strategy.experimental_local_results(_SUMS[strategy](value))[0].numpy()


def _summing(strategy: Any) -> Callable[[Any], Any]:
    """Returns the function that sums, which is traced once."""
    import tensorflow as tf

    here = len(strategy.extended.worker_devices)

    def step(value: Any) -> Any:
        context = tf.distribute.get_replica_context()
        first = tf.equal(context.replica_id_in_sync_group % here, 0)
        return context.all_reduce("sum", value * tf.cast(first, value.dtype))

    # Without a reference to the strategy, whose entry would never go.
    run = weakref.WeakMethod(strategy.run)
    signature = [tf.TensorSpec([None], tf.int32)]
    return tf.function(lambda value: run()(step, (value,)), input_signature=signature)  # type: ignore[misc]
