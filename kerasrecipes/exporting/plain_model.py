"""The same model made of Keras's own layers."""

from collections.abc import Callable
from typing import Any

import keras

from kerasrecipes._checks import InputError, check_choice
from kerasrecipes._export import export
from kerasrecipes.exporting import _columns
from kerasrecipes.exporting._texts import network_of
from kerasrecipes.exporting._unfold import Unfolding, checked_model, graph_of
from kerasrecipes.recipes._raw_rows_model import RawRowsModel
from kerasrecipes.recipes.table_model import TableModel
from kerasrecipes.recipes.text_model import TextModel


@export("exporting", saved=False)
def plain_model(model: keras.Model, *, raw: bool = True) -> keras.Model:
    """Returns a copy of a model that is made of Keras's own layers, with equal predictions.

    Its file needs Keras alone: who loads it need not have this package. Blocks are unfolded into
    their steps, layers of this package are written with stock layers that hold the same weights
    (docs/exporting.md has the table), and all of it can be trained on. What works in training only
    becomes Keras's nearest: `HashDropout`, `StochasticDepth` and `ScheduledDropout` are dropout of
    a constant rate, augmentation is left out, an ensemble trains on its mean. The copy is not
    compiled, and knows nothing of its recipe.

    A network for tables takes a dict of columns by name, each of shape (rows,): float32 numbers,
    NaN where one is missing; strings, where any unknown one, such as "", is missing; float64 for
    categories that are numbers or truth values, NaN where one is missing. A slash in a name
    becomes "_". A network for texts takes an array of strings.

    Args:
        model: A model of a recipe, or any functional or sequential model of layers of Keras and of
            this package.
        raw: Whether networks for tables and texts take raw rows, which needs the TensorFlow
            backend for strings; else they take what `kerasrecipes.exporting.encode` returns.
            Defaults to True.

    Returns: A `keras.Model`.

    Raises: InputError for a model that is not built or no graph of layers, and for a layer that
        has no counterpart, by name.

    Example:
    >>> import keras
    >>> import kerasrecipes as kr
    >>> model = kr.recipes.mlp((4,), "binary", hidden=(8,))
    >>> plain = plain_model(model)
    >>> [type(layer).__name__ for layer in plain.layers]
    ['InputLayer', 'Dense', 'BatchNormalization', 'Activation', 'Dropout', 'Dense', 'Activation']
    >>> table = {"size": [1.0, 2.0, 3.0], "kind": ["a", "b", "a"]}
    >>> plain = plain_model(kr.recipes.tabular(table, "binary", form="mlp", hidden=(8,)))
    >>> {name: each.dtype for name, each in plain.input.items()}
    {'size': 'float32', 'kind': 'string'}
    """
    check_choice("raw", raw, (True, False))
    model = checked_model(model)
    return _made(model, Unfolding(), raw)


def rebuilt(
    model: keras.Model, *, raw: bool, instead: dict[type, Callable[..., Any]] | None = None
) -> keras.Model:
    """Returns a model of the same layers, with its inputs as `plain_model` says.

    Args:
        model: The model.
        raw: As for `plain_model`.
        instead: By type of layer, what to call in its place.
    """
    rules = instead or {}
    if not isinstance(model, RawRowsModel) and not _has(model, tuple(rules)):
        return keras.Model(model.input, model.output, name=model.name)
    return _made(model, Unfolding(rules, keep=True), raw)


def _made(model: keras.Model, unfolding: Unfolding, raw: bool) -> keras.Model:
    if isinstance(model, TextModel) and not raw:
        return network_of(model, unfolding)
    schema: Any = model.schema if isinstance(model, TableModel) else None
    if schema is not None and raw:
        _check_strings()
        inputs = _columns.inputs_of(schema)
        unfolding.reserve(inputs)
        arrays = _columns.encoded(schema, inputs)
        taken = {name: arrays[name] for name in model.input_names_of_table()}
        return keras.Model(inputs, unfolding.outputs(model, taken), name=model.name)
    return graph_of(model, unfolding, name=model.name)


def _has(model: keras.Model, kinds: tuple[type, ...]) -> bool:
    return any(isinstance(each, kinds) for each in model.layers)


def _check_strings() -> None:
    if keras.config.backend() != "tensorflow":
        raise InputError(
            "`raw` must be False on the backend "
            f"{keras.config.backend()!r}, since columns of strings inside a model need "
            "TensorFlow's. Received: True. The copy then takes what "
            "`kerasrecipes.exporting.encode` returns."
        )
