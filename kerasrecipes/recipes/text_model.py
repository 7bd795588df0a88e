"""TextModel."""

import inspect
from typing import Any

import keras
import numpy as np

from kerasrecipes._arrays import is_pandas
from kerasrecipes._checks import fail
from kerasrecipes._export import export
from kerasrecipes.data.text_schema import TextSchema
from kerasrecipes.data.vectorization import as_texts
from kerasrecipes.recipes._text_settings import settings_of
from kerasrecipes.recipes.recipe_model import RecipeModel
from kerasrecipes.recipes.table_model import Suggestion


@export("models")
class TextModel(RecipeModel):
    """The model that `text` returns: it takes texts as they are.

    `fit`, `evaluate` and `predict` take a list, an array or a pandas column of str, and whatever
    else Keras takes, such as `kerasrecipes.data.batches` of texts.

    Args:
        inputs: Symbolic inputs, as for `keras.Model`.
        outputs: Symbolic outputs, as for `keras.Model`.
        **kwargs: As for `RecipeModel`.

    Attributes:
        schema: The `kerasrecipes.data.TextSchema` of the training texts.

    Example:
    >>> import kerasrecipes as kr
    >>> model = kr.recipes.text(["good film", "bad film"], kr.targets.Binary(), hidden=(8,))
    >>> model.predict(["a good one", ""], verbose=0).shape
    (2, 1)
    """

    @property
    def schema(self) -> TextSchema | None:
        """The texts that the model was made for."""
        return None if self.recipe is None else self.recipe.arguments["texts"]

    @property
    def suggestion(self) -> Suggestion | None:
        """The epochs and the batch size that suit the form and the number of texts."""
        if self.recipe is None:
            return None
        settings = settings_of(self.recipe.arguments["form"], self.recipe.arguments["texts"])
        return Suggestion(settings.epochs, settings.batch_size)

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Trains as `RecipeModel.fit` does, on raw texts."""
        given = dict(inspect.signature(keras.Model.fit).bind(self, *args, **kwargs).arguments)
        del given["self"]
        if "x" in given:
            given["x"] = _as_array(given["x"])
        validation = given.get("validation_data")
        if isinstance(validation, tuple):
            given["validation_data"] = (_as_array(validation[0]), *validation[1:])
        return super().fit(**given)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Evaluates as `RecipeModel.evaluate` does, on raw texts."""
        return super().evaluate(_as_array(x), y, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Predicts as `keras.Model.predict` does, for raw texts."""
        return super().predict(_as_array(x), *args, **kwargs)


def _as_array(x: Any) -> Any:
    """Returns texts as an array, which Keras would take for several inputs; other data as it is."""
    if isinstance(x, str):
        fail("x", "a list of texts", x, "Put the text into a list.")
    return as_texts("x", x) if isinstance(x, (list, tuple, np.ndarray)) or is_pandas(x) else x
