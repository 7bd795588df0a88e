"""The data of a finder: what `fit` takes, iterated over without a trace."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from kerasrecipes._arrays import is_pandas
from kerasrecipes._checks import check_int, fail

_IGNORE_STATE = 1  # ExternalStatePolicy.IGNORE
_SEED_INPUTS = {"ShuffleDatasetV3": 4, "ShuffleAndRepeatDatasetV2": 5}


def fit_arguments(data: Any, batch_size: int | None, steps: int) -> dict[str, Any]:
    """Returns data as arguments of `fit` that goes on for `steps` batches at most.

    Args:
        data: Arrays as (x, y) or (x, y, sample_weight), or what `fit` takes as `x` alone.
        batch_size: Rows in a batch of arrays, None for Keras's 32.
        steps: Batches of all passes together.
    """
    if isinstance(data, Iterator):
        remedy = "Give arrays, or a dataset, which can be read again from its beginning."
        fail("data", "data whose position can be brought back", data, remedy)
    if isinstance(data, (tuple, list)):
        if not 1 <= len(data) <= 3:
            fail("data", "(x, y), (x, y, sample_weight), or a dataset", f"{len(data)} part(s)")
        given: dict[str, Any] = dict(zip(("x", "y", "sample_weight"), data, strict=False))
        if batch_size is not None:
            given["batch_size"] = check_int("batch_size", batch_size, low=1)
        return {**given, "epochs": steps}
    if batch_size is not None:
        fail("batch_size", "left out for data that comes in batches", batch_size)
    if data is None or isinstance(data, (str, bytes)) or hasattr(data, "dtype") or is_pandas(data):
        fail("data", "(x, y) or a dataset", type(data).__name__)
    given = {"x": data, "epochs": steps, "shuffle": False}
    if isinstance(data, tf.data.Dataset):
        if int(data.cardinality()) == tf.data.INFINITE_CARDINALITY:
            given = {**given, "epochs": 1, "steps_per_epoch": steps}
        if not hasattr(data, "epoch"):  # else a `Batches`, whose order is restored
            given["x"] = with_own_shuffles(data)
    return given


def with_own_shuffles(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the dataset with shuffles of its own, which begin anew from their seeds.

    A pass over a `tf.data` shuffle moves the order of all later passes on, and TensorFlow has no
    way to move it back; so the passes are made over a copy. A dataset that cannot be copied is
    returned as it is.
    """
    try:
        graph = tf.raw_ops.DatasetToGraphV2(
            input_dataset=tf.data.experimental.to_variant(dataset),
            external_state_policy=_IGNORE_STATE,
            strip_device_assignment=False,
        )
    except tf.errors.OpError:
        return dataset
    definition = tf.compat.v1.GraphDef.FromString(graph.numpy())
    shuffles = [node for node in definition.node if node.op in _SEED_INPUTS]
    if not shuffles:
        return dataset
    for index, node in enumerate(shuffles):
        own = definition.node.add(op="DummySeedGenerator", name=f"kerasrecipes_seeds_{index}")
        node.input[_SEED_INPUTS[node.op]] = own.name
    variant = tf.raw_ops.DatasetFromGraph(graph_def=definition.SerializeToString())
    return tf.data.experimental.from_variant(variant, dataset.element_spec)
