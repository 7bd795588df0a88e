"""From the `recipe` and the arguments of an estimator to a model."""

import copy
import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras
import numpy as np
from scipy import sparse

from kerasrecipes._arrays import is_pandas
from kerasrecipes._checks import did_you_mean, fail
from kerasrecipes._export import lookup
from kerasrecipes.data.normalization import normalization
from kerasrecipes.recipes.auto import choice
from kerasrecipes.targets.target import Target

_RAW = ("table", "texts")


@dataclasses.dataclass(frozen=True)
class Factory:
    """A recipe function, and the arguments that the caller has given.

    Attributes:
        function: The recipe function.
        arguments: Its arguments by name.
    """

    function: Callable[..., keras.Model]
    arguments: Mapping[str, Any]

    @property
    def takes(self) -> str:
        """The rows that the models take: "table", "texts" or "numbers"."""
        return self._first if self._first in _RAW else "numbers"

    @property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.function).parameters

    @property
    def _first(self) -> str:
        return next(iter(self._parameters), "")

    def check(self, estimator: str, known: Iterable[str]) -> None:
        """Refuses arguments that neither the recipe nor the estimator knows.

        Args:
            estimator: Name of the estimator.
            known: Names of the estimator's own arguments, for the suggestion.
        """
        parameters = self._parameters
        if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
            return
        accepted = [name for name in parameters if name != "target"]
        if self._first in (*_RAW, "input_shape"):
            accepted.remove(self._first)
        for name, value in self.arguments.items():
            if name not in accepted:
                expected = f"an argument of {estimator} with the recipe {self.function.__name__!r}"
                hint = did_you_mean(name, [*accepted, *known])
                fail(name, expected, value, hint or f"There are: {', '.join(accepted)}.")

    def model(self, x: Any, target: Target, seed: int | None) -> keras.Model:
        """Returns a new model for these training rows.

        Arguments are copied, since training changes optimizers, layers and backbones.
        """
        given = copy.deepcopy(dict(self.arguments))
        if self._first in given:
            first = given.pop(self._first)
        else:
            first = x.shape[1:] if self.takes == "numbers" else x
        own = {"seed": seed, "rows": len(x)}
        if self._is_scaled():
            own["preprocessing"] = _scaling(x, self._parameters, given)
        own = {name: value for name, value in own.items() if name in self._parameters}
        if "seed" not in own and seed is not None:
            keras.utils.set_random_seed(seed)
        return self.function(first, target, **{**own, **given})

    def _is_scaled(self) -> bool:
        """Returns whether the rows are to be brought to one scale, which the caller left open."""
        if self.takes != "numbers" or "preprocessing" in self.arguments:
            return False
        parameter = self._parameters.get("preprocessing")
        is_open = parameter is not None and parameter.default is None
        return is_open and self.arguments.get("vocabulary_size") is None  # else they are tokens


def factory_of(recipe: Any, X: Any, arguments: Mapping[str, Any]) -> Factory:
    """Returns the factory for a recipe's name, a recipe function, or "auto"."""
    if isinstance(recipe, str):
        name = _chosen(X) if recipe == "auto" else recipe
        return Factory(lookup("recipe", "recipes", name), arguments)
    if not callable(recipe) or not hasattr(recipe, "__name__"):
        fail("recipe", "'auto', the name of a recipe, or a recipe function", recipe)
    return Factory(recipe, arguments)


def _chosen(X: Any) -> str:
    """Returns the name of the recipe for rows of this kind; what is none of them is a table."""
    if sparse.issparse(X) or (is_pandas(X) and X.ndim == 2):
        return "tabular"
    array = np.asarray(X)
    if array.ndim > 2 or (array.ndim == 1 and array.dtype.kind in "OUT"):
        return choice(array).recipe
    return "tabular"


def _scaling(
    x: np.ndarray, parameters: Mapping[str, Any], arguments: Mapping[str, Any]
) -> keras.layers.Layer:
    """Returns the layer with the statistics of these rows, of what is not padding."""
    padding = arguments.get("mask_value")
    one_channel = "mask_value" in parameters and x.ndim == 2
    axis = None if one_channel or "augmentation" in parameters else -1
    if padding is not None:
        is_step = (x != padding).reshape(*x.shape[:2], -1).any(axis=-1)
        x = x[is_step]
        x = x.reshape(len(x), -1)
    return normalization(x, axis=axis)
