"""RecipeClassifier."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from kerasrecipes._checks import InputError
from kerasrecipes.estimators._base import RecipeEstimator
from kerasrecipes.estimators._training import Rows
from kerasrecipes.targets.binary import Binary
from kerasrecipes.targets.multiclass import Multiclass
from kerasrecipes.targets.multilabel import Multilabel


class RecipeClassifier(ClassifierMixin, RecipeEstimator):
    """A recipe as a scikit-learn classifier.

    It works wherever scikit-learn takes a classifier: in pipelines, searches, cross-validation,
    calibration and ensembles. Arguments of the recipe, such as `hidden` or `dropout`, are
    parameters like the others. As in scikit-learn `fit` checks them, and always starts anew.

    Training takes the standard callbacks without `Interrupt`, so that Ctrl-C ends a search. The
    weights of the epoch with the lowest loss on the validation rows come back. Where classes are
    too small for a stratified share each keeps a row in the training.

    Numbers are standardised inside the model, with the statistics of the training rows: no scaler
    is needed before it. `preprocessing=None` leaves that out, for recipes that have it.

    Args:
        recipe: Name of a recipe; a function that takes `input_shape` (or `table`, or `texts`) and
            `target` and returns a compiled Keras model; or "auto": `tabular` for DataFrames and
            matrices, `cnn` for images (four axes, or three of bytes), `temporal` for series
            (three axes), `text` for strings. Defaults to "auto".
        validation: Share of the rows as a float in [0, 1), or their number as an int >= 0, that
            is kept from the training to choose the epoch by. None, 0, and a share of less than
            half a row train on all rows, and keep the last weights. Defaults to 0.2.
        seed: Int >= 0 for a reproducible fit, or None. Defaults to None.
        class_weight: "balanced" for weights that give all classes the same sum, a dict from class
            to weight, or None. Defaults to None.
        epochs: Greatest number of epochs, int >= 1. Defaults to None: what the model suggests,
            for images and series by the number of rows, else 40.
        batch_size: Rows in a batch, int >= 1. Defaults to None, as `epochs`, else 32.
        patience: Epochs without improvement before the stop, int >= 0; an `EarlyStopping`; None
            to train all epochs; or "auto": 10 for a constant rate, None for one with a schedule,
            at whose end a network is at its best. Without validation rows a number watches the
            training loss. Defaults to "auto".
        callbacks: A list of Keras callbacks, of which each fit takes copies, or None. Defaults to
            None.
        verbose: Whether to print a line per epoch. Defaults to 0.
        **recipe_arguments: Arguments of the recipe.

    Attributes:
        classes_: The labels, sorted; 0, 1, ... for a matrix of labels.
        model_: The trained Keras model.
        history_: What each epoch logged, lists by name.
        recipe_: Name of the recipe.
        n_features_in_: Columns of `X`; not for strings.
        feature_names_in_: Their names, where all are strings.

    Raises: InputError (a ValueError), by `fit`, for arguments that the recipe does not know.

    Example:
    >>> from sklearn.datasets import load_iris
    >>> x, y = load_iris(return_X_y=True)
    >>> classifier = RecipeClassifier("mlp", hidden=(16,), learning_rate=0.02, epochs=15, seed=0)
    >>> bool(classifier.fit(x, y).score(x, y) > 0.9)
    True
    >>> classifier.predict_proba(x[:2]).shape, classifier.recipe_
    ((2, 3), 'mlp')
    >>> classifier.set_params(droput=0.1).fit(x, y)
    Traceback (most recent call last):
    kerasrecipes._checks.InputError: `droput` must be an argument of RecipeClassifier with the
    recipe 'mlp'. Received: 0.1 (float). Did you mean 'dropout'?
    """

    def __init__(
        self,
        recipe: Any = "auto",
        *,
        validation: float | None = 0.2,
        seed: int | None = None,
        class_weight: Any = None,
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
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Trains a new network.

        Args:
            X: Rows: a matrix of numbers or a DataFrame, which may have categories, texts and gaps
                where the recipe is `tabular`; images; series; or strings.
            y: A label for each row; or a matrix of zeros and ones, shape (rows, labels).
            sample_weight: A weight >= 0 for each row; rows of weight 0 are left out. Defaults to
                None.

        Returns: The estimator.
        """
        factory, rows = self._prepared(X, y, sample_weight)
        check_classification_targets(rows.y)
        self._is_multilabel = type_of_target(rows.y) == "multilabel-indicator"
        if self._is_multilabel:
            self.classes_ = np.arange(rows.y.shape[1])
            target, numbers, classes = Multilabel(rows.y.shape[1]), rows.y, None
        else:
            labels = column_or_1d(rows.y, warn=True)
            self.classes_, numbers = np.unique(labels, return_inverse=True)
            target, classes = _target(self.classes_), numbers
        return self._train(factory, target, self._weighted(rows)._replace(y=numbers), classes)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Returns the probability of each class, float32.

        Args:
            X: Rows as those of `fit`.

        Returns: Shape (rows, classes), in the order of `classes_`; for a matrix of labels the
            probability of each of them.
        """
        p = self._outputs(X)
        return np.hstack([1 - p, p]) if p.shape[1] < len(self.classes_) else p

    def predict(self, X: Any) -> np.ndarray:
        """Returns the most probable class of each row; of a matrix of labels those above 1/2.

        Args:
            X: Rows as those of `fit`.
        """
        p = self.predict_proba(X)
        if self._is_multilabel:
            return (p > 0.5).astype("int64")
        return self.classes_[p.argmax(axis=1)]

    def _weighted(self, rows: Rows) -> Rows:
        """Returns the rows with the weights of their classes."""
        if self.class_weight is None:
            return rows
        weight = compute_sample_weight(self.class_weight, rows.y)
        return rows._replace(weight=weight if rows.weight is None else weight * rows.weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _target(classes: np.ndarray) -> Binary | Multiclass:
    if len(classes) < 2:
        raise InputError(
            f"`y` must hold at least two classes. Received: one class, {classes.tolist()[0]!r}. "
            "Rows of weight 0 do not count."
        )
    return Binary() if len(classes) == 2 else Multiclass(len(classes))
