"""A batch of the rows that `fit` would train on."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrecipes._checks import InputError
from kerasrecipes.callbacks._snapshot import Snapshot


def first_batch(model: keras.Model, data: dict[str, Any]) -> Any:
    """Returns the first batch of data as NumPy arrays, encoded as the model's layers take it.

    Nothing is trained, and everything is as it was afterwards.

    Args:
        model: A compiled model on one device.
        data: Arguments of `fit`.
    """
    snapshot = Snapshot(model)
    taken: list[Any] = []

    def take(iterator: Any) -> None:
        taken.append(iterator.get_next())
        raise _Taken

    try:
        model.train_function = take
        model.fit(**data, verbose=0)
    except _Taken:
        return keras.tree.map_structure(_plain, taken[0])
    finally:
        snapshot.restore()
    raise InputError("`data` must have at least one batch. Received: none.")


class _Taken(Exception):
    """Ends the fit that the batch was taken from."""


def _plain(leaf: Any) -> np.ndarray | None:
    return None if isinstance(leaf, tf.experimental.Optional) else leaf.numpy()
