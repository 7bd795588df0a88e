"""Two classes."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np

from kerasrecipes._checks import check_number, fail
from kerasrecipes._export import export
from kerasrecipes.targets import _encoding
from kerasrecipes.targets.target import Target, as_vector, names_or_count


@export("targets")
class Binary(Target):
    """One of two classes, by binary cross-entropy on a sigmoid.

    With p the predicted probability of class 1:
        loss = -mean(y log p + (1 - y) log(1 - p))
    Once `adapt` has seen the training labels, the output starts at the share of class 1,
    log(prior / (1 - prior)).

    Args:
        classes: Names of class 0 and class 1, or None for the numbers 0 and 1.
        prior: Share of class 1, a float in (0, 1), or None to start at 1/2.

    Example:
    >>> target = Binary(["no", "yes"])
    >>> target.encode(["yes", "no", "yes"]).tolist()
    [1, 0, 1]
    >>> round(target.random_guess_loss(), 4)
    0.6931
    """

    name = "binary"
    units = 1
    activation = "sigmoid"

    def __init__(self, classes: Sequence[str] | None = None, *, prior: float | None = None) -> None:
        count, self.class_names = names_or_count(
            "classes", 2 if classes is None else classes, low=2
        )
        if count != 2:
            fail("classes", "two names", classes, "Use `Multiclass` for more.")
        self.prior = prior
        if prior is not None:
            check_number("prior", prior, low=0.0, high=1.0, open_low=True, open_high=True)

    def loss(self, *, label_smoothing: float = 0.0) -> keras.losses.Loss:
        """Returns binary cross-entropy."""
        return keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Returns accuracy at 1/2 and the area under the ROC curve."""
        return [keras.metrics.BinaryAccuracy(name="accuracy"), keras.metrics.AUC(name="auc")]

    def encode(self, y: Any) -> np.ndarray:
        """Returns class numbers 0 and 1 as int32, shape (n,)."""
        return _encoding.class_numbers(as_vector(y), 2, self.class_names)

    def adapt(self, y: Any) -> Self:
        """Returns this target with the share of class 1 in `y`, half a count added to each."""
        y = self.encode(y)
        return type(self)(self.class_names, prior=float((y.sum() + 0.5) / (len(y) + 1)))

    def random_guess_loss(self, y: Any = None) -> float:
        """Returns the entropy of the class shares in `y`, or log 2."""
        share = 0.5 if y is None else float(self.encode(y).mean())
        return _encoding.entropy(np.array([share, 1 - share]))

    def prior_bias(self) -> list[float] | None:
        """Returns the log odds of the prior."""
        return None if self.prior is None else [float(np.log(self.prior / (1 - self.prior)))]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        names = None if self.class_names is None else list(self.class_names)
        return {"classes": names, "prior": self.prior}
