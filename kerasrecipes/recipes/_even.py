"""The arguments of `fit` for a model on several replicas."""

from typing import Any

import numpy as np

from kerasrecipes._arrays import is_pandas, leaves, map_arrays
from kerasrecipes._checks import InputError

_DEFAULT_BATCH_SIZE = 32


def evenly(given: dict[str, Any], strategy: Any, seed: int | None) -> dict[str, Any]:
    """Returns `fit`'s arguments with the training data in equal parts for the replicas.

    Arrays become batches in an order that follows from seed and epoch, validation rows parted
    off as Keras does it, the last ones.

    Args:
        given: The arguments by name.
        strategy: The strategy of the model, with several replicas.
        seed: Seed of the order of arrays, or None for one that all hosts agree on.

    Raises: InputError for data that cannot be divided: neither arrays nor `tf.data`.
    """
    import tensorflow as tf

    from kerasrecipes.data.batches import batches
    from kerasrecipes.distribute.even_batches import EvenBatches

    given = dict(given)
    x = given.get("x")
    if isinstance(x, (tf.distribute.DistributedDataset, EvenBatches)):
        return given
    if not isinstance(x, tf.data.Dataset):
        _check_arrays(x)
        given = _part_off_validation(given)
        x = batches(
            given["x"],
            given.pop("y", None),
            batch_size=given.pop("batch_size", None) or _DEFAULT_BATCH_SIZE,
            shuffle=bool(given.get("shuffle", True)),
            seed=0 if seed is None else seed,
            sample_weight=given.pop("sample_weight", None),
        )
    even = EvenBatches(x, strategy, class_weight=given.pop("class_weight", None))
    return {**given, "x": even, "shuffle": False}


def _check_arrays(x: Any) -> None:
    for leaf in leaves(x):
        if not (isinstance(leaf, (np.ndarray, list)) or is_pandas(leaf) or hasattr(leaf, "numpy")):
            raise InputError(
                "`x` must be arrays or a `tf.data.Dataset` to be divided among replicas. "
                f"Received: {type(leaf).__name__}. Use `kerasrecipes.data.batches`."
            )


def _part_off_validation(given: dict[str, Any]) -> dict[str, Any]:
    share = given.pop("validation_split", None)
    if not share or given.get("validation_data") is not None:
        return given
    names = [name for name in ("x", "y", "sample_weight") if given.get(name) is not None]
    parted = {name: _parted(given[name], share) for name in names}
    validation = tuple(parted[name][1] for name in names)
    return {**given, **{n: parted[n][0] for n in names}, "validation_data": validation}


def _parted(value: Any, share: float) -> tuple[Any, Any]:
    """Returns the first and the last rows of an array or a structure of arrays."""
    at = int(len(leaves(value)[0]) * (1.0 - share))
    return _rows(value, slice(None, at)), _rows(value, slice(at, None))


def _rows(value: Any, part: slice) -> Any:
    return map_arrays(lambda _, leaf: (leaf.iloc if is_pandas(leaf) else leaf)[part], "", value)
