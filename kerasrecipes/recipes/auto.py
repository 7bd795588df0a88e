"""The recipe for data of any kind."""

from typing import Any, NamedTuple

import numpy as np

from kerasrecipes._arrays import is_mixed_table, is_pandas
from kerasrecipes._checks import fail
from kerasrecipes.data.normalization import normalization
from kerasrecipes.recipes.cnn import cnn
from kerasrecipes.recipes.recipe_model import RecipeModel
from kerasrecipes.recipes.table_model import Suggestion
from kerasrecipes.recipes.tabular import tabular
from kerasrecipes.recipes.temporal import temporal
from kerasrecipes.recipes.text import text

_EPOCHS_OF_ROWS = ((2_000, Suggestion(40, 32)), (20_000, Suggestion(20, 64)))
_MANY = Suggestion(10, 128)


class Choice(NamedTuple):
    """A recipe for some data.

    Attributes:
        recipe: Name of the recipe.
        arguments: Its arguments.
        smaller: More arguments, for a network of a fraction of the cost.
        suggestion: Epochs and batch size; None for what the model suggests.
    """

    recipe: str
    arguments: dict[str, Any]
    smaller: dict[str, Any]
    suggestion: Suggestion | None


def auto(
    data: Any,
    target: Any,
    *,
    small: bool = False,
    strategy: Any = None,
    fast: bool | str = "auto",
    seed: int | None = None,
    name: str | None = None,
) -> RecipeModel:
    """Returns a compiled model for training rows of any kind.

    The kind decides: a DataFrame, dict of columns or matrix goes to `tabular`, texts to `text`,
    images to `cnn` and series (rows, steps, channels) to `temporal`. Which recipe it was, and
    with which arguments, is in `model.recipe`; call that one to change anything.

    From a file to a trained model with a report within a minute: `kerasrecipes.runs.auto`.

    Args:
        data: Training rows, as the recipes take them. Three axes are images if the values are
            bytes, else series.
        target: A target that has seen the training labels, its name, or a dict.
        small: Whether to take a network of a fraction of the cost. Defaults to False.
        strategy: As for `mlp`. Defaults to None.
        fast: As for `mlp`. Defaults to "auto".
        seed: Int for reproducible weights and dropout masks, or None.
        name: Name of the model. Defaults to None, that of the recipe.

    Returns: A built and compiled `RecipeModel`.

    Raises: InputError for data of another kind, and what the recipe refuses.

    Example:
    >>> import numpy as np
    >>> import kerasrecipes as kr
    >>> model = auto(np.zeros((8, 28, 28), "uint8"), kr.targets.Multiclass(10))
    >>> model.recipe.name, model.input_shape
    ('cnn', (None, 28, 28))
    >>> auto(["good film", "bad film"], "binary").recipe.name
    'text'
    """
    chosen = choice(data)
    given = {**chosen.arguments, **(chosen.smaller if small else {})}
    given |= {"strategy": strategy, "fast": fast, "seed": seed}
    if name is not None:
        given["name"] = name
    if chosen.recipe in ("tabular", "text"):
        return (tabular if chosen.recipe == "tabular" else text)(data, target, **given)
    x = np.asarray(data)
    layer = normalization(x, axis=None if chosen.recipe == "cnn" else -1)
    if chosen.recipe == "temporal":
        return temporal(x.shape[1:], target, preprocessing=layer, **given)
    return cnn(x.shape[1:], target, preprocessing=layer, rows=len(x), **given)


def choice(data: Any) -> Choice:
    """Returns the recipe for data of this kind, and for so many rows."""
    if is_mixed_table(data) or isinstance(data, dict) or (is_pandas(data) and data.ndim == 2):
        return _TABLE
    array = np.asarray(data)
    if array.dtype.kind in "OUT" and array.ndim == 1:
        return Choice("text", {}, {"max_tokens": 4_000}, None)
    if array.dtype.kind not in "biuf" or not 2 <= array.ndim <= 4:
        remedy = "Name a recipe yourself."
        fail("data", "a table, texts, images or series", _described(array), remedy)
    if array.ndim == 2:
        return _TABLE
    rows = len(array)
    suggested = next((s for most, s in _EPOCHS_OF_ROWS if rows < most), _MANY)
    if array.ndim == 3 and array.dtype != "uint8":
        return Choice("temporal", {}, {"filters": (32, 64, 32), "strides": 2}, suggested)
    return Choice("cnn", {}, {"filters": (16, 32, 64), "blocks": 1}, suggested)


_TABLE = Choice("tabular", {}, {"hidden": (96, 96), "members": 4}, None)


def _described(array: np.ndarray) -> str:
    return f"{array.dtype} of shape {array.shape}"
