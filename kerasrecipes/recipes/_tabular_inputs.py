"""From a schema to the inputs of a network for tables, and what is done to them first."""

from typing import Any, NamedTuple

import keras

from kerasrecipes._seeds import child_seed
from kerasrecipes.data.table_schema import TableSchema
from kerasrecipes.layers.category_embedding import CategoryEmbedding
from kerasrecipes.layers.missing_indicator import MissingIndicator
from kerasrecipes.layers.piecewise_linear_embedding import PiecewiseLinearEmbedding
from kerasrecipes.layers.robust_scale import RobustScale

MOST_ONE_HOT = 9


class Inputs(NamedTuple):
    """The inputs of a model.

    Attributes:
        symbols: The symbolic inputs by name, of those groups that have columns.
        schema: The schema that they follow.
        seed: Seed of the model, or None.
    """

    symbols: dict[str, Any]
    schema: TableSchema
    seed: int | None

    def scaled(self, clip: float | None = 3.0) -> Any:
        """Returns the scaled numbers without gaps, or None if there are no numbers."""
        columns = self.schema.numeric
        if not columns:
            return None
        center = [column.median for column in columns]
        scale = [column.robust_scale for column in columns]
        layer = RobustScale(center, scale, clip=clip, name="scaled")
        return layer(self.symbols["numeric"])

    def missing(self) -> list[Any]:
        """Returns in a list which numbers are missing, for columns where some were in training."""
        columns = [i for i, column in enumerate(self.schema.numeric) if column.missing]
        if not columns:
            return []
        return [MissingIndicator(columns, name="missing")(self.symbols["numeric"])]

    def piecewise(self, units: int, bins: int) -> Any:
        """Returns the numbers embedded by their quantiles, side by side, or None."""
        numbers = self.scaled(clip=None)
        if numbers is None:
            return None
        edges = [_scaled_edges(column, bins) for column in self.schema.numeric]
        most = max(len(row) for row in edges) - 1
        layer = PiecewiseLinearEmbedding(
            units,
            most,
            edges=edges,
            extrapolate=False,
            seed=child_seed(self.seed, "piecewise"),
            name="piecewise",
        )
        return keras.layers.Flatten(name="numbers")(layer(numbers))

    def categories(self, units: int) -> list[Any]:
        """Returns the categories in a list: one-hot up to 9 values, vectors beyond."""
        columns = self.schema.categorical
        if not columns:
            return []
        sizes = [len(column.categories) for column in columns]
        values = [len(column.categories) + bool(column.missing) for column in columns]
        layer = CategoryEmbedding(
            sizes,
            units=[0 if count <= MOST_ONE_HOT else units for count in values],
            seed=child_seed(self.seed, "categories"),
            name="categories",
        )
        return [layer(self.symbols["categorical"])]


def inputs_of(schema: TableSchema, seed: int | None) -> Inputs:
    """Returns the symbolic inputs of a model for a schema."""
    symbols = {}
    if schema.numeric:
        symbols["numeric"] = keras.Input((len(schema.numeric),), name="numeric")
    if schema.categorical:
        shape = (len(schema.categorical),)
        symbols["categorical"] = keras.Input(shape, dtype="int32", name="categorical")
    return Inputs(symbols, schema, seed)


def joined(parts: list[Any]) -> Any:
    """Returns the parts that there are, side by side."""
    parts = [part for part in parts if part is not None]
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="table")(parts)


def _scaled_edges(column: Any, bins: int) -> list[float]:
    """Returns the edges of a column as `RobustScale` brings them to the layer."""
    scale = column.robust_scale
    if not scale:
        return [-1.0, 1.0]
    edges = sorted({(edge - column.median) / scale for edge in column.edges(bins)})
    return edges if len(edges) > 1 else [-1.0, 1.0]
