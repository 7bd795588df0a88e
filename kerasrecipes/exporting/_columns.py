"""From the columns of a table, as they are, to what a network for tables takes."""

import re
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes._checks import InputError
from kerasrecipes.data._table_columns import CategoricalColumn
from kerasrecipes.data.table_schema import TableSchema


def names_of(schema: TableSchema) -> list[str]:
    """Returns the name of the input of each column, in which Keras allows no slash."""
    names = [column.name.replace("/", "_") for column in schema.columns]
    if len(set(names)) < len(names):
        raise InputError(
            "`model` must be for columns whose names differ by more than slashes. Received: "
            f"{', '.join(repr(column.name) for column in schema.columns)}. Use `raw=False`."
        )
    return names


def inputs_of(schema: TableSchema) -> dict[str, Any]:
    """Returns an input for each column: float32 numbers, strings, or float64 categories."""
    return {
        name: keras.Input((), dtype=_dtype(column), name=name)
        for name, column in zip(names_of(schema), schema.columns, strict=True)
    }


def encoded(schema: TableSchema, inputs: dict[str, Any]) -> dict[str, Any]:
    """Returns what `TableSchema.encode` does, in the graph."""
    numbers, categories = [], []
    for symbol, column in zip(inputs.values(), schema.columns, strict=True):
        if isinstance(column, CategoricalColumn):
            categories.append(_code(column, symbol))
        else:
            numbers.append(symbol)
    found = {}
    if numbers:
        found["numeric"] = ops.stack(numbers, axis=-1)
    if categories:
        found["categorical"] = ops.stack(categories, axis=-1)
    return found


def raw_columns(schema: TableSchema, table: Any) -> dict[str, np.ndarray]:
    """Returns the columns of a table as the inputs take them."""
    from kerasrecipes.data._table.inference import as_frame  # here, since it needs pandas

    frame = as_frame("x", table)
    schema.encode(frame)  # which says what is wrong with it
    named = {str(key): frame[key] for key in frame.columns}
    arrays = {}
    for name, column in zip(names_of(schema), schema.columns, strict=True):
        series, dtype = named[column.name], _dtype(column)
        if dtype == "string":
            known = series.astype(object).where(series.notna(), _unknown(column))
            arrays[name] = known.to_numpy(dtype=object)
        else:
            arrays[name] = series.to_numpy(dtype="float64", na_value=np.nan).astype(dtype)
    return arrays


def _dtype(column: Any) -> str:
    if not isinstance(column, CategoricalColumn):
        return "float32"
    return "string" if column.holds == "text" else "float64"


def _code(column: CategoricalColumn, symbol: Any) -> Any:
    """Returns 1 + the number of the category, 0 for others."""
    if column.holds == "text":
        lookup = keras.layers.StringLookup(
            vocabulary=list(column.categories),
            oov_token=_unknown(column),
            name=re.sub(r"\W", "_", f"category_of_{symbol.name}", flags=re.ASCII),
        )
        return ops.cast(lookup(symbol), "int32")
    known = np.asarray(column.categories, "float64")
    found = ops.cast(ops.equal(ops.expand_dims(symbol, -1), known), "int32")
    return ops.sum(found * np.arange(1, len(known) + 1, dtype="int32"), axis=-1)


def _unknown(column: Any) -> str:
    """Returns a text that is none of the categories: "" unless it is one."""
    text = ""
    while text in column.categories:
        text += "?"
    return text
