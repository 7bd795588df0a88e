"""One of several classes."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np

from kerasrecipes._checks import fail
from kerasrecipes._export import export
from kerasrecipes.targets import _encoding
from kerasrecipes.targets.class_accuracy import ClassAccuracy
from kerasrecipes.targets.smoothed_crossentropy import SmoothedCrossentropy
from kerasrecipes.targets.target import Target, as_vector, names_or_count


@export("targets")
class Multiclass(Target):
    """One of C classes, by cross-entropy on a softmax.

    With p_c the predicted probability of the true class c:
        loss = -mean(log p_c)
    Once `adapt` has seen the training labels, the output starts at the class shares, log(prior).

    Args:
        classes: Number of classes, int >= 2, or their names in order.
        prior: Share of each class, floats > 0, or None to start at 1 / C.

    Example:
    >>> target = Multiclass(10)
    >>> target.units, target.activation, round(target.random_guess_loss(), 4)
    (10, 'softmax', 2.3026)
    >>> Multiclass(["cat", "dog", "fox"]).encode(["fox", "cat"]).tolist()
    [2, 0]
    """

    name = "multiclass"
    activation = "softmax"

    def __init__(
        self, classes: int | Sequence[str], *, prior: Sequence[float] | None = None
    ) -> None:
        self.units, self.class_names = names_or_count("classes", classes, low=2)
        self.prior = None if prior is None else [float(share) for share in prior]
        if self.prior is not None and (len(self.prior) != self.units or min(self.prior) <= 0):
            fail("prior", f"{self.units} shares > 0", prior)

    def loss(self, *, label_smoothing: float = 0.0) -> keras.losses.Loss:
        """Returns cross-entropy for class numbers, and for shares such as mixup gives."""
        return SmoothedCrossentropy(label_smoothing=label_smoothing)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Returns accuracy, for class numbers and for shares."""
        return [ClassAccuracy(name="accuracy")]

    def encode(self, y: Any) -> np.ndarray:
        """Returns class numbers 0 to C - 1 as int32, shape (n,); one-hot rows are accepted."""
        array = np.asarray(y)
        one_hot = array.ndim == 2 and array.shape[1] == self.units and array.dtype.kind in "biuf"
        if one_hot and (array.sum(axis=1) == 1).all() and ((array == 0) | (array == 1)).all():
            return array.argmax(axis=1).astype("int32")
        return _encoding.class_numbers(as_vector(array), self.units, self.class_names)

    def adapt(self, y: Any) -> Self:
        """Returns this target with the class shares of `y`, half a count added to each."""
        counts = np.bincount(self.encode(y), minlength=self.units) + 0.5
        return type(self)(self._classes(), prior=(counts / counts.sum()).tolist())

    def random_guess_loss(self, y: Any = None) -> float:
        """Returns the entropy of the class shares in `y`, or log C."""
        if y is None:
            return float(np.log(self.units))
        y = self.encode(y)
        return _encoding.entropy(np.bincount(y, minlength=self.units) / len(y))

    def prior_bias(self) -> list[float] | None:
        """Returns the logarithms of the class shares, which have mean zero."""
        if self.prior is None:
            return None
        logs = np.log(self.prior)
        return (logs - logs.mean()).tolist()

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"classes": self._classes(), "prior": self.prior}

    def _classes(self) -> Any:
        return self.units if self.class_names is None else list(self.class_names)
