"""The distribution strategy for the devices and hosts that there are."""

import re
from typing import Any

from kerasrecipes._checks import InputError, check_choice, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.distribute._start import start
from kerasrecipes.distribute._tensorflow import tensorflow
from kerasrecipes.distribute.adapt import adapt
from kerasrecipes.distribute.cluster import Cluster, resolve_cluster

_SPECS = ("auto", "cpu", "gpu", "mirrored", "mirrored:2", "multi_worker")


@export("distribute", saved=False)
def strategy(spec: Any = "auto", *, timeout: float = 300.0, verbose: bool = True) -> Any:
    """Returns a `tf.distribute.Strategy`, and says in one line which one and why.

    What `spec` can be:

    - "auto": "multi_worker" if the environment describes a cluster (see `resolve_cluster`), else
      all GPUs of the host, else TensorFlow's default, which is one device.
    - "cpu": the CPU, also where there are GPUs.
    - "gpu": the first GPU.
    - "mirrored": all GPUs of the host; on a host without GPUs all its logical CPUs.
    - "mirrored:N": the first N of them.
    - "multi_worker": the cluster that the environment describes.
    - A `tf.distribute.Strategy`, which is adapted; see `adapt`.

    A cluster starts when all its workers have come. They compare what they were told, so that a
    wrong TF_CONFIG, or another version of TensorFlow or Keras, is a `ClusterError` on all of
    them, as is a worker that does not come. This has to be called before anything else of
    TensorFlow has run; a second call returns the same strategy.

    Build and compile the model in `with strategy.scope():`. Recipes do so by themselves: they
    take what `spec` can be as `strategy`.

    Args:
        spec: See above. Defaults to "auto".
        timeout: How long to wait for the other workers to come, seconds > 0. Defaults to 300.
        verbose: Whether to print the line. Defaults to True.

    Returns: The strategy.

    Raises: InputError for an unknown `spec`, devices or a cluster that are not there, and
        strategies that Keras 3 does not train under; ClusterError if the cluster does not start.

    Example:
    >>> strategy("cpu").num_replicas_in_sync
    strategy: OneDeviceStrategy on CPU:0, since "cpu" was asked for.
    1
    """
    tf = tensorflow()
    check_number("timeout", timeout, low=0.0, open_low=True)
    if not isinstance(spec, str):
        made, line = adapt(spec), "since it was given"
    else:
        made, line = _named(tf, spec, timeout)
    if verbose:
        print(f"strategy: {_described(made)}, {line}.", flush=True)
    return made


def _named(tf: Any, spec: str, timeout: float) -> tuple[Any, str]:
    asked = f'since "{spec}" was asked for'
    if re.fullmatch(r"mirrored(:\d+)?", spec):
        return _mirrored(tf, spec), asked
    check_choice("strategy", spec, _SPECS, remedy="Or a `tf.distribute.Strategy`.")
    if spec == "cpu":
        return tf.distribute.OneDeviceStrategy("CPU:0"), asked
    if spec == "gpu":
        if not _gpus(tf):
            fail("strategy", '"auto" or "cpu" on a host where TensorFlow sees no GPU', spec)
        return tf.distribute.OneDeviceStrategy("GPU:0"), asked
    cluster = resolve_cluster()
    if cluster is not None:
        return start(tf, cluster, timeout), _of_cluster(cluster)
    if spec == "multi_worker":
        raise InputError(
            '`strategy` is "multi_worker", but the environment describes no cluster of several '
            "workers. Set TF_CONFIG on each worker, start the program with SLURM's `srun`, or set "
            "KERASRECIPES_WORKERS in an indexed Job of Kubernetes."
        )
    return _automatic(tf)


def _automatic(tf: Any) -> tuple[Any, str]:
    gpus = _gpus(tf)
    if gpus > 1:
        return _mirrored(tf, "mirrored"), f"since TensorFlow sees {gpus} GPUs"
    what = "one GPU" if gpus else "no GPU"
    return tf.distribute.get_strategy(), f"since TensorFlow sees {what} and there is no cluster"


def _mirrored(tf: Any, spec: str) -> Any:
    kind = "GPU" if _gpus(tf) else "CPU"
    there = len(tf.config.list_logical_devices(kind))
    wanted = int(spec.partition(":")[2] or there)
    if not 1 <= wanted <= there:
        remedy = ""
        if kind == "CPU":
            remedy = (
                f"To try it without GPUs, call `kerasrecipes.distribute.logical_cpus({wanted})` "
                "before anything of TensorFlow has run."
            )
        expected = f'"mirrored:1" to "mirrored:{there}", since TensorFlow sees {there} {kind}(s)'
        fail("strategy", expected, spec, remedy)
    return tf.distribute.MirroredStrategy([f"{kind}:{index}" for index in range(wanted)])


def _gpus(tf: Any) -> int:
    """Returns the number of GPUs without starting TensorFlow, which a cluster has to do first."""
    return len(tf.config.get_visible_devices("GPU"))


def _of_cluster(cluster: Cluster) -> str:
    return (
        f"worker {cluster.index} of {len(cluster.workers)} (0 is the chief), from {cluster.source}"
    )


def _described(made: Any) -> str:
    name = type(made).__name__.lstrip("_")
    name = {"CollectiveAllReduceStrategy": "MultiWorkerMirroredStrategy"}.get(name, name)
    if name == "DefaultDistributionStrategy":
        return "TensorFlow's default"
    devices = [device.partition("device:")[2] for device in made.extended.worker_devices]
    replicas = made.num_replicas_in_sync
    many = f" ({replicas} replicas)" if replicas > 1 else ""
    return f"{name} on {', '.join(devices)}{many}"
