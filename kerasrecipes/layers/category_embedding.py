"""CategoryEmbedding."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes._checks import InputError, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers._table import check_table


@export("layers")
class CategoryEmbedding(keras.layers.Layer):
    """Turns the categories of a table into numbers: one-hot, or learned vectors.

    Column j has the values 1 ... n_j, and 0 for what is missing or not known. With units_j = 0 it
    becomes its one-hot vector of length n_j, zeros for 0; with n_j = 2 the single number -1, 1, or
    0 for 0. With units_j > 0 it becomes a learned vector of that length, which starts as
    N(0, scale^2), and as zeros, their mean, for 0.

    Args:
        sizes: n_j of each column, ints >= 1.
        units: units_j of each column, ints >= 0; or one for all. Defaults to 8.
        scale: Standard deviation of the vectors at the start, float > 0. Defaults to 1.0.
        seed: Integer for reproducible weights, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Integer tensor (batch, columns), such as "categorical" of
            `kerasrecipes.data.TableSchema.encode`.

    Returns: Tensor (batch, outputs): the one-hot columns first, then the vectors.

    Raises: InputError for an argument outside the above, and an input of another rank or width.

    Example:
    >>> import numpy as np
    >>> layer = CategoryEmbedding([3, 2], units=0)
    >>> np.array(layer(np.array([[1, 1], [3, 2], [0, 0]]))).tolist()
    [[1.0, 0.0, 0.0, -1.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
    >>> tuple(CategoryEmbedding([3, 40], units=[0, 5])(np.array([[1, 17]])).shape)
    (1, 8)

    Reference: Holzmueller et al. 2024, arXiv:2407.04491.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        units: int | Sequence[int] = 8,
        scale: float = 1.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        if not isinstance(sizes, (list, tuple)) or not sizes:
            fail("sizes", "a number of categories for each column", sizes)
        self.sizes = [check_int("sizes", size, low=1) for size in sizes]
        each = units if isinstance(units, (list, tuple)) else [units] * len(sizes)
        if len(each) != len(sizes):
            fail("units", f"one number, or one for each of the {len(sizes)} columns", units)
        self.units = [check_int("units", number, low=0) for number in each]
        self.scale = check_number("scale", scale, low=0, open_low=True)
        self.seed = None if seed is None else check_int("seed", seed)
        self._one_hot = [i for i, number in enumerate(self.units) if number == 0]
        self._embedded = {
            width: [i for i, number in enumerate(self.units) if number == width]
            for width in sorted(set(self.units) - {0})
        }

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates one matrix of vectors for all columns with the same number of units."""
        check_table(self, input_shape)
        if input_shape[1] != len(self.sizes):
            raise InputError(
                f"CategoryEmbedding needs an input of {len(self.sizes)} columns, as `sizes` has. "
                f"Received: shape {tuple(input_shape)}."
            )
        self._outputs = [
            (i, value, 1 if self.sizes[i] == 2 else -1)
            for i in self._one_hot
            for value in range(1 + (self.sizes[i] == 2), self.sizes[i] + 1)
        ]
        self.tables, self._first_rows = [], []
        for width, columns in self._embedded.items():
            rows = [self.sizes[i] + 1 for i in columns]
            self._first_rows.append(np.cumsum([0, *rows[:-1]]).astype("int32"))
            self.tables.append(
                self.add_weight(
                    shape=(sum(rows), width),
                    initializer=self._start(width, self._first_rows[-1]),
                    name=f"vectors_{width}",
                )
            )

    def _start(self, width: int, unknown: np.ndarray) -> Any:
        normal = keras.initializers.RandomNormal(
            0.0, self.scale, seed=child_seed(self.seed, "vectors", width)
        )

        def start(shape: tuple[int, ...], dtype: Any) -> Any:
            known = np.ones((shape[0], 1), "float32")
            known[unknown] = 0.0
            return normal(shape, dtype) * ops.cast(known, dtype)

        return start

    def call(self, inputs: Any) -> Any:
        """Returns one-hot columns and vectors."""
        inputs = ops.cast(inputs, "int32")
        hot = self.one_hot(inputs)
        parts = [] if hot is None else [hot]
        for table, rows in zip(self.tables, self.rows_of_tables(inputs), strict=True):
            vectors = ops.take(ops.cast(table, self.compute_dtype), rows, axis=0)
            parts.append(ops.reshape(vectors, (-1, rows.shape[1] * table.shape[1])))
        return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)

    def one_hot(self, inputs: Any) -> Any:
        """Returns the one-hot columns; None if there are none."""
        if not self._outputs:
            return None
        column, value, opposite = (list(each) for each in zip(*self._outputs, strict=True))
        found = ops.take(inputs, column, axis=1)
        hot = ops.cast(ops.equal(found, np.asarray(value, "int32")), self.compute_dtype)
        if 1 not in opposite:
            return hot
        against = ops.equal(found, np.asarray(opposite, "int32"))
        return hot - ops.cast(against, self.compute_dtype)

    def rows_of_tables(self, inputs: Any) -> list[Any]:
        """Returns the rows of each of `tables` whose vectors the categories have."""
        return [
            # Not `add`: Keras adds a vector by TensorFlow's BiasAdd, of floats only in LiteRT.
            ops.subtract(ops.take(inputs, columns, axis=1), -first)
            for columns, first in zip(self._embedded.values(), self._first_rows, strict=True)
        ]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, outputs)."""
        hot = sum(1 if self.sizes[i] == 2 else self.sizes[i] for i in self._one_hot)
        return (input_shape[0], hot + sum(self.units))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "sizes": self.sizes,
            "units": self.units,
            "scale": self.scale,
            "seed": self.seed,
        }
