"""TableModel."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from kerasrecipes._arrays import is_pandas
from kerasrecipes._export import export
from kerasrecipes.data.table_schema import TableSchema
from kerasrecipes.recipes._raw_rows_model import RawRowsModel
from kerasrecipes.recipes._tabular_settings import settings_of


class Suggestion(NamedTuple):
    """How long to train a model, and with which batches.

    Attributes:
        epochs: Passes over the rows.
        batch_size: Rows in a batch.
    """

    epochs: int
    batch_size: int


@export("models")
class TableModel(RawRowsModel):
    """The model that `tabular` returns: it takes the rows of a table as they are.

    `fit`, `evaluate` and `predict` take a DataFrame, a dict of columns, a matrix, or
    `kerasrecipes.data.batches` of these, and encode them once, before the first step. Other data,
    such as a `tf.data.Dataset`, has to yield what `encode` returns.

    Where the output is an ensemble's (`kerasrecipes.layers.EnsembleMean`), the loss in training
    is the mean of the members' losses; metrics and predictions are those of the mean.

    Args:
        inputs: Symbolic inputs, as for `keras.Model`.
        outputs: Symbolic outputs, as for `keras.Model`.
        **kwargs: As for `RecipeModel`.

    Attributes:
        schema: The `kerasrecipes.data.TableSchema` of the training rows.

    Example:
    >>> import pandas as pd
    >>> import kerasrecipes as kr
    >>> table = pd.DataFrame({"size": [1.0, 2.0, None, 4.0], "kind": ["a", "b", "a", "b"]})
    >>> model = kr.recipes.tabular(table, kr.targets.Binary(), form="mlp", hidden=(8,))
    >>> model.predict(pd.DataFrame({"kind": ["new"], "size": [3.0]}), verbose=0).shape
    (1, 1)
    """

    @property
    def schema(self) -> TableSchema | None:
        """The columns that the model was made for."""
        return None if self.recipe is None else self.recipe.arguments["table"]

    @property
    def suggestion(self) -> Suggestion | None:
        """The epochs and the batch size that suit the form and the rows it was made from."""
        if self.recipe is None:
            return None
        given = self.recipe.arguments
        rows = given.get("rows") or given["table"].rows
        settings = settings_of(given["form"], rows, given["target"])
        return Suggestion(settings.epochs, settings.batch_size)

    def encode(self, table: Any) -> dict[str, np.ndarray]:
        """Returns rows as the arrays that the layers take; see `TableSchema.encode`."""
        encoded = self.schema.encode(table)  # type: ignore[union-attr]
        return {name: encoded[name] for name in self.input_names_of_table() if name in encoded}

    def input_names_of_table(self) -> list[str]:
        """Returns which of "numeric" and "categorical" the model takes."""
        return [each.name for each in self.inputs]

    def _inputs_of(self, x: Any) -> Any:
        """Returns rows as the arrays that the layers take; other data as it is."""
        if self.schema is None:
            return x
        if hasattr(x, "over"):  # a `Batches`
            rows, labels = x.inputs, x.labels
            if rows is None or not _is_table(rows):
                return x
            if labels is not None and self.has_loss_of_target():
                labels = self.target.encode(labels)  # type: ignore[union-attr]
            return x.over(self.encode(rows), labels)
        return self.encode(x) if _is_table(x) else x

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Computes the loss, of an ensemble the mean over its members."""
        if _has_members(y_pred):
            members, units = y_pred.shape[1:]
            y_pred = ops.reshape(y_pred, (-1, units))
            y = ops.repeat(y, members, axis=0)
            if sample_weight is not None:
                sample_weight = ops.repeat(sample_weight, members, axis=0)
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the metrics, of an ensemble those of its mean."""
        if _has_members(y_pred):
            y_pred = ops.mean(y_pred, axis=1)
        return super().compute_metrics(x, y, y_pred, sample_weight)


def _has_members(y_pred: Any) -> bool:
    return len(getattr(y_pred, "shape", ())) == 3


def _is_table(x: Any) -> bool:
    return isinstance(x, (dict, np.ndarray, list)) or (is_pandas(x) and x.ndim == 2)
