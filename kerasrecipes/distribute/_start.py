"""Starts TensorFlow's side of a cluster."""

import contextlib
import faulthandler
import sys
from collections.abc import Iterator
from typing import Any

import keras

from kerasrecipes._checks import InputError
from kerasrecipes.distribute import _rendezvous
from kerasrecipes.distribute._tensorflow import has_started
from kerasrecipes.distribute.adapt import adapt
from kerasrecipes.distribute.cluster import Cluster

_LAST_RESORT = 60.0  # seconds; the start takes less than one once all workers have met
_STARTED: dict[tuple[tuple[str, ...], int], Any] = {}


def start(tf: Any, cluster: Cluster, timeout: float) -> Any:
    """Returns the strategy of the cluster, in which all workers have come."""
    key = cluster.workers, cluster.index
    if key not in _STARTED:
        if has_started(tf):
            raise InputError(
                '`strategy("multi_worker")` must come before anything of TensorFlow has run '
                "(models, data, tensors). Call it at the start of the program."
            )
        gpus = len(tf.config.get_visible_devices("GPU"))
        facts = {"tensorflow": tf.__version__, "keras": keras.__version__, "gpus": gpus}
        _rendezvous.meet(cluster, facts, timeout=timeout)
        with _time_limit():
            _STARTED[key] = adapt(_strategy(tf, cluster, gpus))
    return _STARTED[key]


def _strategy(tf: Any, cluster: Cluster, gpus: int) -> Any:
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(cluster.workers)}),
        task_type="worker",
        task_id=cluster.index,
        rpc_layer="grpc",
        num_accelerators={"GPU": gpus},
    )
    return tf.distribute.MultiWorkerMirroredStrategy(resolver)


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    """Ends the process if a worker has died since all met: TensorFlow would wait for it for ever.

    TensorFlow holds Python's lock meanwhile, so that no Python code can do this.
    """
    if sys.__stderr__ is None:
        yield
        return
    faulthandler.dump_traceback_later(_LAST_RESORT, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
