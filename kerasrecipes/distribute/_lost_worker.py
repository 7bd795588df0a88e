"""A clear error when a worker is gone in the middle of a training."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from kerasrecipes import _workers
from kerasrecipes.distribute.cluster_error import ClusterError

_SIGNS = re.compile(r"collective|heartbeat|from remote target /job:|coordination", re.IGNORECASE)


@contextlib.contextmanager
def lost_worker(model: Any) -> Iterator[None]:
    """Turns what TensorFlow says when a worker is gone into a `ClusterError`, chained.

    Args:
        model: The model that is trained, evaluated or asked for predictions inside.
    """
    try:
        yield
    except Exception as error:
        strategy = _workers.strategy_of(model)
        if strategy is None or not _is_of_a_lost_worker(error):
            raise
        raise ClusterError(
            f"A worker is gone or does not answer, so this one, worker "
            f"{strategy.cluster_resolver.task_id}, cannot go on: it crashed, was killed or frozen, "
            "or left the training earlier; see what it wrote last. Start all workers again; a "
            "`Checkpoint` goes on from its last save."
        ) from error


def _is_of_a_lost_worker(error: Exception) -> bool:
    import tensorflow as tf

    kinds = (
        tf.errors.UnavailableError,
        tf.errors.InternalError,
        tf.errors.DeadlineExceededError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
    )
    return isinstance(error, kinds) and _SIGNS.search(str(error)) is not None
