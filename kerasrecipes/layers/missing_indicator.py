"""MissingIndicator."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import check_int, fail
from kerasrecipes._export import export
from kerasrecipes.layers._table import check_table


@export("layers")
class MissingIndicator(keras.layers.Layer):
    """Tells which numbers of a table are missing: 1 where a value is NaN, else 0.

    Args:
        columns: Positions of the columns to tell this of, ints >= 0.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, columns of the table).

    Returns: Tensor (batch, len(columns)).

    Raises: InputError for an argument outside the above, and an input of another rank.

    Example:
    >>> import numpy as np
    >>> np.array(MissingIndicator([1])(np.array([[1.0, np.nan], [np.nan, 2.0]]))).tolist()
    [[1.0], [0.0]]
    """

    def __init__(self, columns: Sequence[int], **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        if not isinstance(columns, (list, tuple)) or not columns:
            fail("columns", "a list of positions", columns)
        self.columns = [check_int("columns", each, low=0) for each in columns]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Checks the input."""
        check_table(self, input_shape)
        if max(self.columns) >= input_shape[1]:  # type: ignore[operator]
            fail("columns", f"positions below {input_shape[1]}", self.columns)

    def call(self, inputs: Any) -> Any:
        """Returns the indicators."""
        chosen = ops.take(inputs, self.columns, axis=1)
        return ops.cast(ops.isnan(chosen), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, len(columns))."""
        return (input_shape[0], len(self.columns))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "columns": self.columns}
