"""Cluster, and where a process finds the one that it belongs to."""

import dataclasses
import json
import os
from collections.abc import Mapping

from kerasrecipes._export import export
from kerasrecipes.distribute import _kubernetes, _slurm, _tf_config


@export("distribute", saved=False)
@dataclasses.dataclass(frozen=True)
class Cluster:
    """The processes that train one model together, and which of them this one is.

    Attributes:
        workers: Address of each worker, "host:port"; worker 0 is the chief, which alone writes
            files.
        index: Number of this worker, from 0.
        source: Where this was read: "TF_CONFIG", "Kubernetes" or "SLURM".

    Example:
    >>> cluster = Cluster(("10.0.0.1:12345", "10.0.0.2:12345"), index=1, source="TF_CONFIG")
    >>> cluster.is_chief
    False
    >>> cluster.tf_config()  # for os.environ["TF_CONFIG"]
    '{"cluster": {"worker": ["10.0.0.1:12345", "10.0.0.2:12345"]},
      "task": {"type": "worker", "index": 1}}'
    """

    workers: tuple[str, ...]
    index: int
    source: str

    @property
    def is_chief(self) -> bool:
        """Whether this is the worker that writes files."""
        return self.index == 0

    def tf_config(self) -> str:
        """Returns the value of TF_CONFIG that says the same, JSON."""
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": list(self.workers)}, "task": task})


@export("distribute", saved=False)
def resolve_cluster(environ: Mapping[str, str] | None = None) -> Cluster | None:
    """Returns the cluster that the environment describes, or None if there is one process only.

    The first of these that describes a cluster counts:

    - TF_CONFIG, as TensorFlow, Kubeflow and Vertex AI write it: JSON with the addresses of the
      workers, a chief first if there is one, and the task of this process.
    - Kubernetes, in a Job with `completionMode: Indexed` (which sets JOB_COMPLETION_INDEX), where
      KERASRECIPES_WORKERS is either the addresses of all workers ("a:12345,b:12345") or their
      number. A number needs KERASRECIPES_SERVICE, the name of the headless service that is also
      the pods' `subdomain`: worker i then is "<job>-<i>.<service>:<port>". KERASRECIPES_PORT is
      the port. Defaults to 12345.
    - SLURM, in a process that `srun` started: SLURM_PROCID, SLURM_STEP_NUM_TASKS,
      SLURM_STEP_NODELIST and SLURM_STEP_TASKS_PER_NODE, tasks in blocks. The port of the first
      task of a node is KERASRECIPES_PORT, the next ones follow. Defaults to
      12000 + 16 * (job id mod 1000), so that jobs that share a node seldom meet.

    A cluster of one worker is none. A SLURM job whose script calls Python without `srun` is one
    process, whatever it asked for.

    Args:
        environ: Environment variables. Defaults to those of this process.

    Returns: The `Cluster`, or None.

    Raises: InputError if the variables contradict themselves or describe roles other than chief
        and worker, such as parameter servers.

    Example:
    >>> resolve_cluster({"JOB_COMPLETION_INDEX": "0", "KERASRECIPES_WORKERS": "a:9000,b:9000"})
    Cluster(workers=('a:9000', 'b:9000'), index=0, source='Kubernetes')
    >>> resolve_cluster({}) is None
    True
    """
    environ = os.environ if environ is None else environ
    for source, read in _SOURCES.items():
        found = read(environ)
        if found is not None:
            workers, index = found
            return Cluster(tuple(workers), index, source) if len(workers) > 1 else None
    return None


_SOURCES = {"TF_CONFIG": _tf_config.read, "Kubernetes": _kubernetes.read, "SLURM": _slurm.read}
