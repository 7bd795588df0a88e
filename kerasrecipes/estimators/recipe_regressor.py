"""RecipeRegressor."""

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from kerasrecipes._checks import fail
from kerasrecipes._export import lookup
from kerasrecipes.estimators._base import RecipeEstimator
from kerasrecipes.targets.binary import Binary
from kerasrecipes.targets.identify import get
from kerasrecipes.targets.multiclass import Multiclass
from kerasrecipes.targets.multilabel import Multilabel
from kerasrecipes.targets.target import Target


class RecipeRegressor(RegressorMixin, RecipeEstimator):
    """A recipe as a scikit-learn regressor, for one output or several.

    It works wherever scikit-learn takes a regressor. Labels of any unit will do: the network
    predicts them in standard deviations, and the model gives them their unit back. What
    `RecipeClassifier` says of arguments, validation rows and scaling holds here too.

    Args:
        recipe: As for `RecipeClassifier`. Defaults to "auto".
        validation: As for `RecipeClassifier`, at random. Defaults to 0.2.
        seed: Int >= 0 for a reproducible fit, or None. Defaults to None.
        target: What is predicted: "regression"; "positive_regression" or "count" for labels >= 0;
            a dict with such a name as "kind" and arguments, such as {"kind": "regression",
            "robust": True} or {"kind": "bounded_regression", "low": 0, "high": 1}; or a target of
            `kerasrecipes.targets`. Defaults to "regression".
        epochs: As for `RecipeClassifier`. Defaults to None.
        batch_size: As for `RecipeClassifier`. Defaults to None.
        patience: As for `RecipeClassifier`. Defaults to "auto".
        callbacks: As for `RecipeClassifier`. Defaults to None.
        verbose: Whether to print a line per epoch. Defaults to 0.
        **recipe_arguments: Arguments of the recipe.

    Attributes:
        model_: The trained Keras model.
        history_: What each epoch logged, lists by name.
        recipe_: Name of the recipe.
        n_features_in_: Columns of `X`; not for strings.
        feature_names_in_: Their names, where all are strings.

    Raises: InputError (a ValueError), by `fit`, for arguments that the recipe does not know.

    Example:
    >>> from sklearn.datasets import load_diabetes
    >>> x, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> regressor = RecipeRegressor("mlp", hidden=(16,), learning_rate=0.02, epochs=15, seed=0)
    >>> bool(regressor.fit(x, y).score(x, y) > 0.4)
    True
    >>> regressor.predict(x[:3]).shape, regressor.feature_names_in_[0]
    ((3,), 'age')
    """

    def __init__(
        self,
        recipe: Any = "auto",
        *,
        validation: float | None = 0.2,
        seed: int | None = None,
        target: Any = "regression",
        epochs: int | None = None,
        batch_size: int | None = None,
        patience: Any = "auto",
        callbacks: Any = None,
        verbose: int = 0,
        **recipe_arguments: Any,
    ) -> None:
        super().__init__(
            recipe,
            validation,
            seed,
            epochs,
            batch_size,
            patience,
            callbacks,
            verbose,
            recipe_arguments,
        )
        self.target = target

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Trains a new network.

        Args:
            X: Rows, as for `RecipeClassifier.fit`.
            y: Numbers, shape (rows,) or (rows, outputs).
            sample_weight: A weight >= 0 for each row; rows of weight 0 are left out. Defaults to
                None.

        Returns: The estimator.
        """
        factory, rows = self._prepared(X, y, sample_weight)
        if rows.y.dtype.kind == "O":
            rows = rows._replace(y=rows.y.astype("float64"))
        self._is_vector = rows.y.ndim == 1
        target = self._target(1 if self._is_vector else rows.y.shape[1])
        return self._train(factory, target, rows, None)

    def predict(self, X: Any) -> np.ndarray:
        """Returns predictions in the unit of the labels, in the shape of `y`.

        Args:
            X: Rows as those of `fit`.

        Returns: float32; float64 for several outputs, which scikit-learn requires there.
        """
        found = self._outputs(X)
        return found[:, 0] if self._is_vector else found.astype("float64")

    def _target(self, units: int) -> Target:
        """Returns the target for so many outputs."""
        described = {"kind": self.target} if isinstance(self.target, str) else self.target
        kind = type(described)
        if isinstance(described, dict) and "kind" in described:
            kind = lookup("target.kind", "targets", str(described["kind"]))
            described = {"units": units, **described}
        if issubclass(kind, (Binary, Multiclass, Multilabel)):
            fail("target", "one for numbers", self.target, "Classes are for `RecipeClassifier`.")
        return get(described)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
