"""Whether data can be divided among the devices of `keras.distribution`."""

from typing import Any

import keras

from kerasrecipes._arrays import leaves
from kerasrecipes._checks import InputError


def check_shards(argument: str, x: Any, batch_size: int | None) -> None:
    """Refuses rows whose batches JAX cannot divide among the devices, as it does in mid-epoch.

    Args:
        argument: Name of `x`.
        x: Arrays, or a `kerasrecipes.data.Batches`; of other data nothing is known.
        batch_size: That of `fit`, or None for Keras's.

    Raises: InputError with the batch sizes that can be divided.
    """
    shards = count_shards()
    if shards == 1:
        return
    is_batches = hasattr(x, "reseed")  # and no table that has a column "rows"
    rows = x.rows if is_batches else _count(x)
    if rows is None:
        return
    size = x.batch_size if is_batches else batch_size or 32
    rest = 0 if is_batches and x.drop_remainder else rows % size
    for odd in (min(size, rows), rest):
        if odd % shards:
            raise InputError(
                f"`{argument}` must make batches of a multiple of {shards} rows, one part for each "
                f"device of `keras.distribution`. Received: {rows} rows in batches of {size}, one "
                f"of them of {odd}. Leave out {odd % shards} of the rows or choose another "
                "`batch_size`; `kerasrecipes.data.batches(..., drop_remainder=True)` leaves out a "
                "smaller batch."
            )


def count_shards() -> int:
    """Returns among how many devices Keras divides a batch; 1 without a distribution."""
    distribution = keras.distribution.distribution()
    name = getattr(distribution, "batch_dim_name", None)
    mesh = getattr(distribution, "device_mesh", None)
    if mesh is None or name not in mesh.axis_names:
        return 1
    return int(mesh.shape[mesh.axis_names.index(name)])


def _count(x: Any) -> int | None:
    found = [leaf for leaf in leaves(x) if hasattr(leaf, "shape") and len(leaf.shape)]
    return int(found[0].shape[0]) if found and found[0].shape[0] is not None else None
