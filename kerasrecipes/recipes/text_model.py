"""TextModel."""

from typing import Any

import numpy as np

from kerasrecipes._arrays import is_pandas
from kerasrecipes._checks import fail
from kerasrecipes._export import export
from kerasrecipes.data.text_schema import TextSchema
from kerasrecipes.data.vectorization import as_texts
from kerasrecipes.recipes._raw_rows_model import RawRowsModel
from kerasrecipes.recipes._text_settings import settings_of
from kerasrecipes.recipes.table_model import Suggestion


@export("models")
class TextModel(RawRowsModel):
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

    def _inputs_of(self, x: Any) -> Any:
        """Returns texts as an array, which Keras would take for several inputs."""
        if isinstance(x, str):
            fail("x", "a list of texts", x, "Put the text into a list.")
        is_texts = isinstance(x, (list, tuple, np.ndarray)) or is_pandas(x)
        return as_texts("x", x) if is_texts else x
