"""ClusterError."""

from kerasrecipes._export import export


@export("distribute", saved=False)
class ClusterError(RuntimeError):
    """The workers of a cluster cannot start together; the message says which one, and why.

    Example:
    >>> raise ClusterError("Worker 1 (10.0.0.2:12345) did not come within 30 s.")
    Traceback (most recent call last):
    kerasrecipes.distribute.cluster_error.ClusterError: Worker 1 (10.0.0.2:12345) did not come ...
    """
