"""What the estimators share."""

import pathlib
import tempfile
from typing import Any, Self

import keras
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from kerasrecipes._checks import fail
from kerasrecipes.data.vectorization import as_texts
from kerasrecipes.estimators._factory import Factory, factory_of
from kerasrecipes.estimators._training import EVALUATION_BATCH, Rows, Settings, train
from kerasrecipes.targets.target import Target


class RecipeEstimator(BaseEstimator):
    """A recipe as scikit-learn has its estimators: parameters, checked rows, a fit, pickling.

    Arguments of the recipe are parameters too, though not attributes. See `RecipeClassifier` for
    the others.
    """

    def __init__(
        self,
        recipe: Any,
        validation: Any,
        seed: Any,
        epochs: Any,
        batch_size: Any,
        patience: Any,
        callbacks: Any,
        verbose: Any,
        recipe_arguments: dict[str, Any],
    ) -> None:
        self.recipe = recipe
        self.validation = validation
        self.seed = seed
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.callbacks = callbacks
        self.verbose = verbose
        self._recipe_arguments = recipe_arguments

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the parameters by name, the given arguments of the recipe included.

        Args:
            deep: As in scikit-learn. Defaults to True.
        """
        return {**super().get_params(deep), **self._recipe_arguments}

    def set_params(self, **params: Any) -> Self:
        """Sets parameters, arguments of the recipe among them; `fit` checks their names.

        Args:
            **params: Values by name.
        """
        own = {n: value for n, value in params.items() if n in self._get_param_names() or "__" in n}
        super().set_params(**own)
        rest = {n: value for n, value in params.items() if n not in own}
        self._recipe_arguments = {**self._recipe_arguments, **rest}
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        is_name = isinstance(self.recipe, str)
        is_table = is_name and self.recipe == "tabular"
        is_text = is_name and self.recipe == "text"
        tags.input_tags.allow_nan = is_table or (is_name and self.recipe == "auto")
        tags.input_tags.string = is_text
        tags.input_tags.one_d_array = is_text
        tags.input_tags.two_d_array = not is_text
        tags.input_tags.three_d_array = not (is_text or is_table)
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "model_" in state:
            state["model_"] = _to_bytes(state["model_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "model_" in state:
            state = {**state, "model_": _from_bytes(state["model_"])}
        super().__setstate__(state)

    def _prepared(self, X: Any, y: Any, sample_weight: Any) -> tuple[Factory, Rows]:
        """Returns the recipe for these rows, and those that have a weight."""
        y = validate_data(self, X="no_validation", y=y, multi_output=True)
        factory = factory_of(self.recipe, X, self._recipe_arguments)
        factory.check(type(self).__name__, self._get_param_names())
        rows = Rows(self._training_rows(X, factory.takes), _dense(y), None)
        check_consistent_length(rows.x, rows.y)
        if sample_weight is None:
            return factory, rows
        weight = _checked_weight(sample_weight, len(rows.y))
        return factory, rows._replace(weight=weight).only(np.flatnonzero(weight))

    def _train(
        self, factory: Factory, target: Target, rows: Rows, classes: np.ndarray | None
    ) -> Self:
        """Trains, and keeps what comes of it."""
        if rows.weight is not None:
            rows = rows._replace(weight=rows.weight / rows.weight.mean())
        settings = Settings(*(getattr(self, name) for name in Settings._fields))
        self.model_, self.history_ = train(factory, target, rows, classes, settings)
        self.recipe_ = factory.function.__name__
        return self

    def _training_rows(self, X: Any, takes: str) -> Any:
        """Returns rows as the models take them, and notes what they are."""
        self._takes, self._columns, self._shape = takes, None, None
        if takes == "texts":
            if hasattr(self, "n_features_in_"):  # of an earlier fit
                del self.n_features_in_
            return as_texts("X", X)
        if takes == "table" and isinstance(X, pd.DataFrame):
            validate_data(self, X, skip_check_array=True)
            self._columns = list(X.columns)
            return X
        x = self._numbers(X, ensure_min_samples=2)
        self._shape = x.shape[1:]
        return x

    def _rows(self, X: Any) -> Any:
        """Returns rows to predict for, checked against those of the fit."""
        if self._takes == "texts":
            return as_texts("X", X)
        if self._columns is not None and isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=False, skip_check_array=True)
            return X
        x = self._numbers(X, reset=False)
        if self._columns is not None:
            return pd.DataFrame(x, columns=self._columns)
        if x.shape[1:] != self._shape:
            fail("X", f"rows of shape {self._shape}, as in the fit", x.shape)
        return x

    def _numbers(self, X: Any, **options: Any) -> np.ndarray:
        is_table = self._takes == "table"
        return validate_data(
            self,
            X,
            allow_nd=not is_table,
            ensure_all_finite="allow-nan" if is_table else True,
            **options,
        )

    def _outputs(self, X: Any) -> np.ndarray:
        """Returns what the network predicts, shape (rows, units).

        A few rows are not worth the tracing that `predict` begins with.
        """
        check_is_fitted(self, "model_")
        rows = self._rows(X)
        if len(rows) > EVALUATION_BATCH or self._takes == "texts":
            return self.model_.predict(rows, batch_size=EVALUATION_BATCH, verbose=0)
        x = self.model_.encode(rows) if self._takes == "table" else rows
        return keras.ops.convert_to_numpy(self.model_(x, training=False))


def _dense(y: Any) -> np.ndarray:
    return y.toarray() if sparse.issparse(y) else y


def _checked_weight(sample_weight: Any, rows: int) -> np.ndarray:
    """Returns one weight per row, none below zero and some above."""
    weight = check_array(
        sample_weight, ensure_2d=False, dtype="float64", input_name="sample_weight"
    )
    if weight.shape != (rows,):
        fail("sample_weight", f"of shape ({rows},)", weight.shape)
    if weight.min() < 0 or weight.max() == 0:
        fail("sample_weight", "numbers >= 0 that are not all zero", weight)
    return weight


def _to_bytes(model: keras.Model) -> bytes:
    """Returns a model as the bytes of its .keras file."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        keras.saving.save_model(model, path)
        return path.read_bytes()


def _from_bytes(saved: bytes) -> keras.Model:
    """Returns the model of a .keras file; who unpickles has trusted the file already."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        path.write_bytes(saved)
        return keras.saving.load_model(path, safe_mode=False)
