"""What `load` returns."""

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """Inputs and raw labels as they were read.

    Attributes:
        x: Rows of features, float32 (n, features); images (n, height, width, channels), uint8 or
            float32; texts, an object array of str of shape (n,); or a DataFrame of mixed columns.
        y: Raw labels: integers, floats, booleans or str, shape (n,) or (n, values). None if no
            labels were asked for.
        feature_names: Names of the columns of `x`, or None for images, texts and plain arrays.
        source: Where the data came from, in a few words.
        fingerprint: SHA-256 over shapes, dtypes and values, the same on every machine.

    Example:
    >>> import kerasrecipes as kr
    >>> examples = kr.data.load({"source": "sklearn", "name": "wine"})
    >>> len(examples), examples.x.dtype.name, examples.source
    (178, 'float32', 'sklearn: wine')
    """

    x: Any
    y: np.ndarray | None
    feature_names: tuple[str, ...] | None
    source: str
    fingerprint: str

    def __len__(self) -> int:
        return len(self.x)
