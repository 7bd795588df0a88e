"""Networks for tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasrecipes._checks import InputError, check_int
from kerasrecipes._seeds import child_seed
from kerasrecipes.data.table_schema import TableSchema
from kerasrecipes.recipes import _tabular_mlp, _tabular_realmlp, _tabular_tabm
from kerasrecipes.recipes._compile import compile_model, recipe, replicas
from kerasrecipes.recipes._tabular_inputs import inputs_of
from kerasrecipes.recipes._tabular_settings import Settings, overridden, settings_of
from kerasrecipes.recipes.recipe_model import RecipeCall
from kerasrecipes.recipes.table_model import TableModel
from kerasrecipes.targets.target import Target

_NETWORKS = {
    "mlp": _tabular_mlp.network,
    "realmlp": _tabular_realmlp.network,
    "tabm": _tabular_tabm.network,
}
_ROWS_TO_START_FROM = 4096


@recipe
def tabular(
    table: Any,
    target: Target,
    *,
    form: str = "auto",
    categorical: Sequence[Any] | None = None,
    ignore: Sequence[Any] | str | None = "constant",
    hidden: Sequence[int] | None = None,
    members: int | None = None,
    embedding_units: int | None = None,
    bins: int | None = None,
    frequency_scale: float | None = None,
    category_units: int | None = None,
    activation: Any = None,
    dropout: float | None = None,
    label_smoothing: float | None = None,
    optimizer: Any = None,
    learning_rate: float | None = None,
    schedule: Any = None,
    weight_decay: float | None = None,
    rows: int | None = None,
    strategy: Any = None,
    fast: bool | str = "auto",
    seed: int | None = None,
    name: str = "tabular",
) -> TableModel:
    """Returns a compiled network for a table of numbers and categories, gaps included.

    The model takes raw rows in `fit`, `evaluate` and `predict`: DataFrames, dicts of columns,
    matrices, or `kerasrecipes.data.batches` of these, also after loading. Missing numbers become
    the median, with an input that tells so for columns where training values were missing;
    missing and unknown categories become zeros.

    Forms, with the reasons for their defaults in docs/tabular.md:
        "realmlp": RealMLP-TD with all its parts, for 256 epochs at batch size 256.
        "tabm": TabM with piecewise-linear embeddings, 32 networks in one, as published.
        "mlp": the dense network of `recipes.mlp` on scaled numbers.
        "auto": a small "tabm" whose size and rate follow from the rows, for a minute of one core.
    What is None below is the form's own choice; `model.suggestion` tells the epochs and the batch
    size that go with it.

    Args:
        table: Training rows: a DataFrame, dict of columns or matrix; or a
            `kerasrecipes.data.TableSchema` of them. The schema is recorded, never the rows. Where
            weights start from data, as those of "realmlp" do, they start from these rows, or from
            rows drawn from the statistics in the schema.
        target: A target that has seen the training labels, such as
            `kerasrecipes.targets.Regression().adapt(y)`, or for classes its name or a dict.
        form: "auto", "realmlp", "tabm" or "mlp". Defaults to "auto".
        categorical: Columns of numbers that are categories, if `table` is not a schema. Defaults
            to None.
        ignore: Columns to leave out, if `table` is not a schema, or "constant" for those that do
            not vary. Defaults to "constant".
        hidden: Width of each hidden layer, ints >= 1; of "mlp" also (), a linear model. Defaults
            to None.
        members: Networks in one, int >= 1, for "auto" and "tabm". Defaults to None.
        embedding_units: Outputs per number, int >= 0, not for "mlp"; 0 for the scaled number
            itself. Defaults to None.
        bins: Greatest number of bins per number, int >= 1, for "auto" and "tabm". Defaults to
            None.
        frequency_scale: Deviation of the frequencies of "realmlp" at the start, float > 0, see
            `kerasrecipes.layers.PeriodicEmbedding`. Defaults to None.
        category_units: Length of the vectors of columns with more than 9 categories, int >= 1.
            Defaults to None.
        activation: Name or function, as in `DenseBlock`. Defaults to None.
        dropout: Rate in [0, 1). Defaults to None.
        label_smoothing: Share of the label spread over all classes, in [0, 1). Defaults to None.
        optimizer: Name, dict with a "name", or Keras optimizer. Defaults to None.
        learning_rate: Peak rate, float > 0. Defaults to None.
        schedule: Name, dict with a "name", or schedule; "constant" for none. Defaults to None.
        weight_decay: Decoupled decay, float >= 0. Defaults to None.
        rows: Training rows that "auto" takes its size and rate for, int >= 1. Defaults to None,
            those of `table`.
        strategy: What to build for, as for `mlp`. Defaults to None.
        fast: As for `mlp`. Defaults to "auto".
        seed: Int for reproducible weights and dropout masks, or None.
        name: Name of the model. Defaults to "tabular".

    Returns: A built and compiled `TableModel`.

    Raises: InputError for an argument outside the above, and for a regression target that has not
        seen the training labels.

    Example:
    >>> import pandas as pd
    >>> import kerasrecipes as kr
    >>> table = pd.DataFrame({"size": [1.0, 2.0, None, 4.0], "kind": ["a", "b", "a", "b"]})
    >>> model = tabular(table, kr.targets.Multiclass(3), form="tabm", hidden=(16,), members=4)
    >>> model.predict(table, verbose=0).shape, model.recipe.arguments["table"].rows
    ((4, 3), 4)

    Reference: Holzmueller et al. 2024, arXiv:2407.04491; Gorishniy et al. 2024,
    arXiv:2410.24210; Gorishniy et al. 2022, arXiv:2203.05556.
    """
    schema = table
    if not isinstance(table, TableSchema):
        schema = TableSchema.from_dataframe(table, categorical=categorical, ignore=ignore)
    check_target(target)
    trained_on = schema.rows if rows is None else check_int("rows", rows, low=1)
    settings = overridden(
        settings_of(form, trained_on, target),
        {
            "hidden": hidden,
            "members": members,
            "embedding_units": embedding_units,
            "bins": bins,
            "frequency_scale": frequency_scale,
            "category_units": category_units,
            "activation": activation,
            "dropout": dropout,
        },
    )
    inputs = inputs_of(schema, seed)
    arguments = {**settings.network, "replicas": replicas(strategy)}
    model = compile_model(
        inputs.symbols,
        _NETWORKS[settings.form](inputs, target, arguments),
        target,
        name=name,
        **_training(settings, optimizer, learning_rate, schedule, weight_decay, label_smoothing),
        kind=TableModel,
        fast=fast,
    )
    model.recipe = RecipeCall("tabular", {"table": schema, "categorical": None, "ignore": None})
    if settings.form == "realmlp":
        _tabular_realmlp.start_from(model, _rows_to_start_from(table, schema, seed))
    return model


def check_target(target: Target) -> None:
    """Refuses a target of numbers that has not seen the training labels."""
    if target.name == "regression" and getattr(target, "scale", None) is None:
        raise InputError(
            "`target` must have seen the training labels, so that the network predicts them in "
            f"standard deviations. Received: {target!r}. Use `{type(target).__name__}().adapt(y)`."
        )


def _training(
    settings: Settings,
    optimizer: Any,
    learning_rate: float | None,
    schedule: Any,
    weight_decay: float | None,
    label_smoothing: float | None,
) -> dict[str, Any]:
    """Returns the arguments of `compile_model`, the caller's before the form's."""
    smoothing = settings.label_smoothing if label_smoothing is None else label_smoothing
    found = {
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "weight_decay": weight_decay,
        "label_smoothing": smoothing,
        "clip_norm": 1.0,
    }
    if optimizer is not None:
        return found
    own = dict(settings.optimizer)
    for key in ("learning_rate", "weight_decay"):
        value = own.pop(key, None)
        found[key] = value if found[key] is None else found[key]
    found["clip_norm"] = own.pop("clip_norm")
    found["optimizer"] = own
    if schedule is None:
        found["schedule"] = settings.schedule
    return found


def _rows_to_start_from(table: Any, schema: TableSchema, seed: int | None) -> dict[str, Any]:
    chosen = child_seed(0 if seed is None else seed, "rows")
    if isinstance(table, TableSchema):
        return schema.sample(_ROWS_TO_START_FROM, seed=chosen or 0)
    encoded = schema.encode(table)
    rows = len(next(iter(encoded.values())))
    if rows <= _ROWS_TO_START_FROM:
        return encoded
    some = np.random.default_rng(chosen).choice(rows, _ROWS_TO_START_FROM, replace=False)
    return {name: array[some] for name, array in encoded.items()}
