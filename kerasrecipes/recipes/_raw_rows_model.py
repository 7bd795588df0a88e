"""RawRowsModel."""

import inspect
from typing import Any

import keras

from kerasrecipes.recipes.recipe_model import RecipeModel


class RawRowsModel(RecipeModel):
    """A recipe model that takes rows as they are, and turns them into its inputs."""

    def _inputs_of(self, x: Any) -> Any:
        """Returns rows as the layers take them; other data as it is."""
        raise NotImplementedError

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Trains as `RecipeModel.fit` does, on raw rows."""
        given = dict(inspect.signature(keras.Model.fit).bind(self, *args, **kwargs).arguments)
        del given["self"]
        if "x" in given:
            given["x"] = self._inputs_of(given["x"])
        validation = given.get("validation_data")
        if isinstance(validation, tuple):
            given["validation_data"] = (self._inputs_of(validation[0]), *validation[1:])
        elif validation is not None:
            given["validation_data"] = self._inputs_of(validation)
        return super().fit(**given)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Evaluates as `RecipeModel.evaluate` does, on raw rows."""
        return super().evaluate(self._inputs_of(x), y, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Predicts as `keras.Model.predict` does, for raw rows."""
        return super().predict(self._inputs_of(x), *args, **kwargs)
