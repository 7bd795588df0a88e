"""TableSchema."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from kerasrecipes._checks import check_int
from kerasrecipes._export import export
from kerasrecipes.data._table_columns import (
    BINS,
    CategoricalColumn,
    NumericColumn,
    from_config,
    is_encoded,
)


@export("data")
@dataclasses.dataclass(frozen=True)
class TableSchema:
    """What the columns of a table are, learnt from the training rows.

    It is saved inside a model of `kerasrecipes.recipes.tabular`, which therefore takes raw rows:
    DataFrames, dicts of columns, and matrices.

    Attributes:
        columns: A `NumericColumn` or `CategoricalColumn` each, in the order of the table.
        rows: Training rows.
        ignored: Names of the columns left out.

    Example:
    >>> import pandas as pd
    >>> table = pd.DataFrame({"size": [1.5, 2.5, None, 4.0], "kind": ["a", "b", "a", "a"]})
    >>> schema = TableSchema.from_dataframe(table)
    >>> print(schema)
    4 rows, 1 numeric and 1 categorical columns
    column  kind         missing  values
    size    numeric      1        1.5 to 4, median 2.5
    kind    categorical  0        2: a 75%, b 25%
    >>> encoded = schema.encode(pd.DataFrame({"kind": ["b", "new"], "size": [3, None]}))
    >>> encoded["numeric"].tolist(), encoded["categorical"].tolist()
    ([[3.0], [nan]], [[2], [0]])
    """

    columns: tuple[NumericColumn | CategoricalColumn, ...]
    rows: int
    ignored: tuple[str, ...] = ()

    @classmethod
    def from_dataframe(
        cls,
        table: Any,
        *,
        categorical: Sequence[Any] | None = None,
        ignore: Sequence[Any] | str | None = None,
    ) -> Self:
        """Returns the schema of training rows, without the target among their columns.

        Strings, truth values and pandas categories are categorical; numbers are numeric, integers
        too, unless `categorical` names their column.

        Args:
            table: Training rows: a DataFrame, a dict of columns, or a matrix of numbers, whose
                columns are named "0", "1" and so on.
            categorical: Names of columns of numbers that are categories. Defaults to None.
            ignore: Names of columns to leave out; or "constant" for those that do not vary in
                these rows. Defaults to None.

        Raises: InputError for columns that do not vary, hold nothing, dates or mixed types, or
            infinite numbers; and for two columns of one name.
        """
        # Here, since it needs pandas, which others do without.
        from kerasrecipes.data._table.inference import as_frame, columns_of

        frame = as_frame("table", table)
        columns, ignored = columns_of(frame, categorical or (), () if ignore is None else ignore)
        return cls(tuple(columns), len(frame), tuple(ignored))

    @property
    def numeric(self) -> tuple[NumericColumn, ...]:
        """The columns of numbers."""
        return tuple(each for each in self.columns if isinstance(each, NumericColumn))

    @property
    def categorical(self) -> tuple[CategoricalColumn, ...]:
        """The columns of categories."""
        return tuple(each for each in self.columns if isinstance(each, CategoricalColumn))

    def encode(self, table: Any) -> dict[str, np.ndarray]:
        """Returns rows as the arrays that the models take; what is encoded already stays.

        Args:
            table: Rows as for `from_dataframe`. Columns are found by name, further ones are left
                out; those of a matrix are in the order of the training rows.

        Returns: "numeric": float32 (rows, numeric columns), NaN where a value is missing;
            "categorical": int32 (rows, categorical columns), 1 + the number of the category, 0
            where it is missing or not known. A kind without columns has no entry.

        Raises: InputError for missing columns, infinite numbers, and texts in place of numbers.
        """
        if is_encoded(table):
            return table
        from kerasrecipes.data._table import encoding  # here, since it needs pandas
        from kerasrecipes.data._table.inference import as_frame

        frame = as_frame("table", table)
        names = tuple(column.name for column in self.columns)
        keys = encoding.pick(frame, names, len(self.columns) + len(self.ignored))
        arrays = {}
        if self.numeric:
            arrays["numeric"] = encoding.encode_numbers(frame, self.numeric, keys)
        if self.categorical:
            arrays["categorical"] = encoding.encode_categories(frame, self.categorical, keys)
        return arrays

    def sample(self, rows: int, *, seed: int = 0) -> dict[str, np.ndarray]:
        """Returns encoded rows drawn from the statistics, each column independent of the others.

        They stand in for training rows where those are not at hand, as for the start of weights
        that depend on the data.

        Args:
            rows: How many, int >= 1.
            seed: Integer >= 0. Defaults to 0.
        """
        random = np.random.default_rng(seed)
        rows, arrays = check_int("rows", rows, low=1), {}
        shape = (rows, len(self.numeric))
        if self.numeric:
            block = np.empty(shape, "float32")
            for i, column in enumerate(self.numeric):
                at = random.uniform(0, BINS, rows)
                block[:, i] = np.interp(at, np.arange(BINS + 1), column.quantiles)
            shares = [column.missing / self.rows for column in self.numeric]
            arrays["numeric"] = np.where(random.uniform(size=shape) < shares, np.nan, block)
            arrays["numeric"] = arrays["numeric"].astype("float32")
        if self.categorical:
            drawn = []
            for column in self.categorical:
                counts = np.array([column.missing, *column.counts], "float64")
                drawn.append(random.choice(len(counts), rows, p=counts / counts.sum()))
            arrays["categorical"] = np.stack(drawn, axis=1).astype("int32")
        return arrays

    def get_config(self) -> dict[str, Any]:
        """Returns the attributes as plain values."""
        columns = [column.get_config() for column in self.columns]
        return {"columns": columns, "rows": self.rows, "ignored": list(self.ignored)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns the schema that `get_config` described."""
        columns = tuple(from_config(each) for each in config["columns"])
        return cls(columns, config["rows"], tuple(config["ignored"]))

    def __str__(self) -> str:
        """Shows the columns as a table."""
        lines = [("column", "kind", "missing", "values")]
        for each in self.columns:
            kind = "numeric" if isinstance(each, NumericColumn) else "categorical"
            lines.append((each.name, kind, f"{each.missing:,}", each.describe()))
        lines += [(name, "ignored", "", "") for name in self.ignored]
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        counts = f"{len(self.numeric)} numeric and {len(self.categorical)} categorical columns"
        text = [f"{self.rows:,} rows, {counts}"]
        for line in lines:
            cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
            text.append("  ".join(cells).rstrip())
        return "\n".join(text)
