"""Data that are not rows of numbers in memory: pipelines, generators, texts and so on."""

import math
from collections.abc import Mapping, Sized
from typing import Any

import keras
import tensorflow as tf


def steps_of(given: Mapping[str, Any]) -> tuple[int | None, bool]:
    """Returns the batches of an epoch, None if only its end tells; and whether it may end before.

    Args:
        given: The arguments of a `fit`, or of an `evaluate`.
    """
    x: Any = given.get("x")
    steps = given.get("steps_per_epoch") or given.get("steps")
    if steps:
        endless = (
            isinstance(x, tf.data.Dataset) and int(x.cardinality()) == tf.data.INFINITE_CARDINALITY
        )
        return steps, not endless
    known = _batches(x, given)
    return known or None, not known


def _batches(x: Any, given: Mapping[str, Any]) -> int | None:
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
