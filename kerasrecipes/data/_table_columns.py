"""The columns of a table: what was learnt about each from the training rows."""

import dataclasses
from typing import Any

import numpy as np

BINS = 96
"""Intervals between the quantiles that are kept; divisible by 48, 32, 24, 16 and 12."""


@dataclasses.dataclass(frozen=True)
class NumericColumn:
    """A column of numbers.

    Attributes:
        name: Name of the column.
        quantiles: Values at the shares 0, 1/96, ... 1 of the known training values.
        landmarks: As `quantiles`, but a value that more than 1/96 of the rows have counts as 1/96
            only, so that others get a place too; all values if there are at most 97.
        missing: Training rows without a value.

    Example:
    >>> import kerasrecipes as kr
    >>> column = kr.data.TableSchema.from_dataframe({"a": [1.0, 2.0, 5.0]}).numeric[0]
    >>> column.median, column.low, column.high, column.missing
    (2.0, 1.0, 5.0, 0)
    """

    name: str
    quantiles: tuple[float, ...]
    landmarks: tuple[float, ...]
    missing: int

    @property
    def low(self) -> float:
        """The smallest value."""
        return self.quantiles[0]

    @property
    def high(self) -> float:
        """The largest value."""
        return self.quantiles[-1]

    @property
    def median(self) -> float:
        """The value in the middle."""
        return self.quantiles[BINS // 2]

    @property
    def quartiles(self) -> tuple[float, float]:
        """The values at a quarter and at three quarters of the rows."""
        return self.quantiles[BINS // 4], self.quantiles[3 * BINS // 4]

    @property
    def robust_scale(self) -> float:
        """The distance of the quartiles; half the range where they are equal."""
        first, third = self.quartiles
        return third - first if third > first else (self.high - self.low) / 2

    def edges(self, bins: int) -> list[float]:
        """Returns at most `bins` + 1 increasing landmarks, as `PiecewiseLinearEmbedding` takes."""
        last = len(self.landmarks) - 1
        at = np.linspace(0, last, min(bins, last) + 1)
        values = np.interp(at, np.arange(last + 1), self.landmarks)
        return np.unique(values.astype("float32")).astype("float64").tolist()

    def describe(self) -> str:
        """Returns the values in words."""
        return f"{self.low:g} to {self.high:g}, median {self.median:g}"

    def get_config(self) -> dict[str, Any]:
        """Returns the attributes as plain values."""
        lists = {"quantiles": list(self.quantiles), "landmarks": list(self.landmarks)}
        return {**vars(self), "kind": "numeric", **lists}


@dataclasses.dataclass(frozen=True)
class CategoricalColumn:
    """A column of categories: strings, truth values, or integers that stand for names.

    Attributes:
        name: Name of the column.
        categories: The known ones; category i is encoded as i + 1.
        counts: Training rows with each of them.
        missing: Training rows without a value.

    Example:
    >>> import kerasrecipes as kr
    >>> column = kr.data.TableSchema.from_dataframe({"a": ["u", "v", None, "u"]}).categorical[0]
    >>> column.categories, column.counts, column.missing
    (('u', 'v'), (2, 1), 1)
    """

    name: str
    categories: tuple[Any, ...]
    counts: tuple[int, ...]
    missing: int

    @property
    def holds(self) -> str:
        """What the categories are: "text", "number" or "bool"."""
        first = self.categories[0]
        if isinstance(first, bool):
            return "bool"
        return "text" if isinstance(first, str) else "number"

    def describe(self) -> str:
        """Returns the categories in words, the commonest first."""
        order = np.argsort(self.counts, kind="stable")[::-1]
        total = max(sum(self.counts), 1)
        shown = [f"{self.categories[i]} {self.counts[i] / total:.0%}" for i in order[:3]]
        return f"{len(self.categories)}: {', '.join(shown)}{', ...' if len(order) > 3 else ''}"

    def get_config(self) -> dict[str, Any]:
        """Returns the attributes as plain values."""
        lists = {"categories": list(self.categories), "counts": list(self.counts)}
        return {**vars(self), "kind": "categorical", **lists}


def landmarks_of(values: np.ndarray) -> np.ndarray:
    """Returns the quantiles of known values, none of which counts as more than 1/96 of them."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= BINS + 1:
        return distinct
    weights = np.minimum(counts, max(len(values) / BINS, 1.0))
    shares = np.concatenate([[0.0], np.cumsum((weights[1:] + weights[:-1]) / 2)])
    return np.interp(np.linspace(0, 1, BINS + 1), shares / shares[-1], distinct)


def from_config(config: dict[str, Any]) -> NumericColumn | CategoricalColumn:
    """Returns the column that `get_config` described."""
    config = {k: tuple(v) if isinstance(v, (list, tuple)) else v for k, v in config.items()}
    kind = NumericColumn if config.pop("kind") == "numeric" else CategoricalColumn
    return kind(**config)


def is_encoded(table: Any) -> bool:
    """Whether these are the arrays of a schema's `encode` already."""
    return (
        isinstance(table, dict)
        and bool(table)
        and set(table) <= {"numeric", "categorical"}
        and all(len(getattr(array, "shape", ())) == 2 for array in table.values())
    )
