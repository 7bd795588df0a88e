"""Makes the strategies of tf.distribute, and trains a step under each."""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kerasrecipes._worker_process import free_ports
from kerasrecipes.doctor._probes import workers
from kerasrecipes.doctor._probes.toys import X, Y, first_line, linear_model


@dataclasses.dataclass(frozen=True)
class Tried:
    """How far a strategy went: whether it was made, and trained a step, and what was seen."""

    made: bool
    trains: bool
    what: str


def _try(make: Callable[[], Any]) -> Tried:
    try:
        strategy = make()
    except Exception as error:
        return Tried(False, False, first_line(error))
    try:
        with strategy.scope():
            model = linear_model()
        loss = model.fit(X, Y, batch_size=len(X), verbose=0).history["loss"][0]
    except Exception as error:
        return Tried(True, False, first_line(error))
    return Tried(True, True, f"{strategy.num_replicas_in_sync} replica(s), loss {loss:.2g}")


def one_device() -> Tried:
    """The first GPU, else the CPU."""
    device = "/GPU:0" if tf.config.list_physical_devices("GPU") else "/CPU:0"
    return _try(lambda: tf.distribute.OneDeviceStrategy(device))


def mirrored() -> Tried:
    """All GPUs, else the CPU."""
    return _try(tf.distribute.MirroredStrategy)


def multi_worker() -> Tried:
    """A worker of the cluster that TF_CONFIG describes."""
    return _try(workers.strategy)


def multi_worker_adapted() -> Tried:
    """The same, through `kerasrecipes.distribute`."""
    from kerasrecipes.distribute.adapt import adapt

    return _try(lambda: adapt(workers.strategy()))


def central_storage() -> Tried:
    """All GPUs, else the CPU."""
    return _try(tf.distribute.experimental.CentralStorageStrategy)


def parameter_server() -> Tried:
    """A worker and a parameter server inside this process."""
    ports = free_ports(2)
    cluster = tf.train.ClusterSpec(
        {"worker": [f"127.0.0.1:{ports[0]}"], "ps": [f"127.0.0.1:{ports[1]}"]}
    )
    for job in ("worker", "ps"):
        tf.distribute.Server(cluster, job_name=job, task_index=0, protocol="grpc")
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(cluster, rpc_layer="grpc")
    return _try(lambda: tf.distribute.ParameterServerStrategy(resolver))


def tpu() -> Tried:
    """The TPU of this host."""
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver

    def make() -> Any:
        found = resolver(tpu="local")
        tf.config.experimental_connect_to_cluster(found)
        tf.tpu.experimental.initialize_tpu_system(found)
        return tf.distribute.TPUStrategy(found)

    return _try(make)
