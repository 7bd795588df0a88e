"""Data that are not rows of numbers in memory: pipelines, generators, texts and so on."""

import math
from collections.abc import Mapping, Sized
from typing import Any

import keras
import tensorflow as tf


def steps_of(given: Mapping[str, Any]) -> int | None:
    """Returns the batches of an epoch, None if only its end tells.

    Args:
        given: The arguments of a `fit`.
    """
    x: Any = given.get("x")
    if given.get("steps_per_epoch"):
        return given["steps_per_epoch"]
    if isinstance(x, tf.data.Dataset):
        steps = int(x.cardinality())
        return steps if steps >= 0 else None
    if hasattr(x, "num_batches"):  # a `keras.utils.PyDataset`
        return x.num_batches
    leaves = keras.tree.flatten(x)
    if not all(hasattr(leaf, "shape") for leaf in leaves):
        return len(x) if isinstance(x, Sized) and not isinstance(x, (list, tuple, dict)) else None
    rows = leaves[0].shape[0]
    if given.get("validation_split") and given.get("validation_data") is None:
        rows = math.floor(rows * (1 - given["validation_split"]))
    return -(-rows // (given.get("batch_size") or 32))
