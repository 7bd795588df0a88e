"""A hash of data that is the same on every machine."""

import hashlib
from typing import Any

import keras
import numpy as np

from kerasrecipes._arrays import is_pandas, map_arrays
from kerasrecipes._export import export


@export("data", saved=False)
def fingerprint(x: Any, y: Any = None) -> str:
    """Returns a SHA-256 over the names, shapes, dtypes and values of `x` and `y`.

    Equal data give equal hashes on every machine, whatever its byte order and however the arrays
    lie in memory. Any change of a value, dtype, shape, row order or column name gives another.

    Args:
        x: An array, DataFrame, list, or a dict or tuple of these.
        y: The same, or None. Defaults to None.

    Returns: 64 hexadecimal digits.

    Example:
    >>> fingerprint(np.array([1.0, 2.0]))[:12], fingerprint(np.array([2.0, 1.0]))[:12]
    ('54563a3f06f3', '7f679e806ad8')
    """
    digest = hashlib.sha256()
    for argument, value in (("x", x), ("y", y)):
        if value is None:
            digest.update(f"{argument}:none;".encode())
        else:
            map_arrays(lambda name, leaf: _add(digest, name, leaf), argument, value)
    return digest.hexdigest()


def _add(digest: Any, name: str, leaf: Any) -> None:
    array = _to_numpy(leaf)
    columns = [str(each) for each in leaf.columns] if is_pandas(leaf) and leaf.ndim == 2 else None
    little = array.dtype.newbyteorder("<")
    kind = "str" if array.dtype.kind in "OUT" else little.str
    digest.update(f"{name}:{columns}:{kind}:{array.shape};".encode("utf-8", "surrogatepass"))
    if kind == "str":
        for item in array.reshape(-1).tolist():
            data = f"{type(item).__name__}:{item}".encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little") + data)
    else:
        digest.update(np.ascontiguousarray(array, little).reshape(-1).view("uint8").data)


def _to_numpy(leaf: Any) -> np.ndarray:
    if is_pandas(leaf):
        return leaf.to_numpy()
    if isinstance(leaf, (np.ndarray, list)):
        return np.asarray(leaf)
    return np.asarray(keras.ops.convert_to_numpy(leaf))
