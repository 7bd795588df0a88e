"""Rows of tables as the searches hold them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from kerasrecipes._arrays import is_pandas
from kerasrecipes.data._table.inference import as_frame
from kerasrecipes.data.table_schema import TableSchema
from kerasrecipes.recipes.table_model import TableModel


def with_frame(data: Any) -> Any:
    """Returns (table, ...) with the table as a DataFrame; what is no tuple or list stays."""
    if not isinstance(data, (tuple, list)) or not data:
        return data
    return (as_frame("table", data[0]), *data[1:])


def check_tables(folds: Sequence[Any], arguments: Mapping[str, Any]) -> None:
    """Refuses rows that `tabular` with these arguments would refuse in each trial.

    Args:
        folds: `Fold`s of a table.
        arguments: Those of the first guess.
    """
    given = {"ignore": "constant"}
    given |= {name: arguments[name] for name in ("categorical", "ignore") if name in arguments}
    for fold in folds:
        schema = TableSchema.from_dataframe(fold.train[0], **given)
        for part in (fold.train, fold.validation):
            schema.encode(part[0])


def encoded(model: Any, x: Any) -> Any:
    """Returns the rows of a table as a `TableModel` takes them in each step; all else stays."""
    return model.encode(x) if isinstance(model, TableModel) and is_pandas(x) else x


def categories(table: pd.DataFrame) -> list[str]:
    """Returns the names of the columns that pandas calls categories, whatever they hold."""
    kinds = table.dtypes.items()
    return [str(name) for name, kind in kinds if isinstance(kind, pd.CategoricalDtype)]


def joined(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of two tables, with the columns of the first."""
    named = {str(name): second[name] for name in second.columns}
    gap = pd.Series(index=second.index, dtype=object)
    columns = {str(name): _joined(first[name], named.get(str(name), gap)) for name in first.columns}
    return pd.DataFrame(columns)


def _joined(first: pd.Series, second: pd.Series) -> pd.Series:
    if isinstance(first.dtype, pd.CategoricalDtype):
        # Else categories that are numbers would become numbers.
        known = first.cat.categories
        new = pd.Index(second.dropna().unique()).difference(known)
        kind = pd.CategoricalDtype(known.append(new))
        first, second = first.astype(kind), second.astype(kind)
    rows = range(len(first) + len(second))
    first, second = first.set_axis(rows[: len(first)]), second.set_axis(rows[len(first) :])
    # What is all missing has no say in the dtype; older pandas warn that it had.
    for one, other in ((first, second), (second, first)):
        if other.isna().all():
            return one.reindex(rows)
    return pd.concat([first, second])
