"""Any number of labels at once."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np

from kerasrecipes._checks import InputError, fail
from kerasrecipes._export import export
from kerasrecipes.targets import _encoding
from kerasrecipes.targets.target import Target, names_or_count


@export("targets")
class Multilabel(Target):
    """Any of L labels at once, by binary cross-entropy on L sigmoids.

    With p_l the predicted probability of label l:
        loss = -mean over l (y_l log p_l + (1 - y_l) log(1 - p_l))
    Once `adapt` has seen the training labels, the outputs start at the labels' shares.

    Args:
        labels: Number of labels, int >= 1, or their names in order.
        prior: Share of the rows that carry each label, floats in (0, 1), or None for 1/2.

    Example:
    >>> target = Multilabel(["red", "round"])
    >>> target.encode([[1, 0], [1, 1]]).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """

    name = "multilabel"
    activation = "sigmoid"

    def __init__(
        self, labels: int | Sequence[str], *, prior: Sequence[float] | None = None
    ) -> None:
        self.units, self.class_names = names_or_count("labels", labels, low=1)
        self.prior = None if prior is None else [float(share) for share in prior]
        if self.prior is not None and (
            len(self.prior) != self.units or min(self.prior) <= 0 or max(self.prior) >= 1
        ):
            fail("prior", f"{self.units} shares in (0, 1)", prior)

    def loss(self, *, label_smoothing: float = 0.0) -> keras.losses.Loss:
        """Returns binary cross-entropy, averaged over the labels."""
        return keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Returns accuracy per label, the mean area under the ROC curve, and macro F1 at 1/2."""
        return [
            keras.metrics.BinaryAccuracy(name="accuracy"),
            keras.metrics.AUC(multi_label=True, num_labels=self.units, name="auc"),
            keras.metrics.F1Score(average="macro", threshold=0.5, name="f1"),
        ]

    def encode(self, y: Any) -> np.ndarray:
        """Returns zeros and ones as float32, shape (n, labels)."""
        array = np.asarray(y)
        if array.ndim != 2 or array.shape[1] != self.units or len(array) == 0:
            raise InputError(
                f"`y` must have one row per example and a column for each of the {self.units} "
                f"labels. Received: shape {array.shape}."
            )
        if array.dtype.kind not in "biuf" or not ((array == 0) | (array == 1)).all():
            raise InputError(
                "`y` must hold 0 and 1 only, 1 where the row carries the label. "
                f"Received: dtype {array.dtype} with other values."
            )
        return array.astype("float32")

    def adapt(self, y: Any) -> Self:
        """Returns this target with the labels' shares in `y`, half a count added to each."""
        y = self.encode(y).astype("float64")
        prior = (y.sum(axis=0) + 0.5) / (len(y) + 1)
        return type(self)(self._labels(), prior=prior.tolist())

    def random_guess_loss(self, y: Any = None) -> float:
        """Returns the mean entropy of the labels' shares in `y`, or log 2."""
        share = np.full(self.units, 0.5) if y is None else self.encode(y).mean(axis=0)
        return _encoding.entropy(np.stack([share, 1 - share], axis=-1))

    def prior_bias(self) -> list[float] | None:
        """Returns the log odds of each label's share."""
        if self.prior is None:
            return None
        prior = np.asarray(self.prior)
        return np.log(prior / (1 - prior)).tolist()

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"labels": self._labels(), "prior": self.prior}

    def _labels(self) -> Any:
        return self.units if self.class_names is None else list(self.class_names)
