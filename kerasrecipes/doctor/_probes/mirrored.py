"""The two logical CPUs that the probes of replicas run on."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from kerasrecipes.distribute.logical_cpus import logical_cpus


@functools.cache
def strategy() -> Any:
    """Returns a strategy over two logical CPUs, which it makes."""
    logical_cpus(2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def replica() -> Any:
    """Returns the number of the replica that this runs on."""
    return tf.distribute.get_replica_context().replica_id_in_sync_group


def on_each(function: Callable[[], Any]) -> list[Any]:
    """Returns what a function returns on each replica, in a graph, as NumPy arrays."""
    run = tf.function(lambda: strategy().run(function))
    return [np.array(each) for each in strategy().experimental_local_results(run())]
