"""LabelSmoothing."""

from typing import Any

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.data.augment.batch_step import BatchStep


@export("augment")
class LabelSmoothing(BatchStep):
    """Moves a share of each label to all classes alike.

    With smoothing a and C classes, for rows of labels q:
        q' = (1 - a) q + a / C
    and with `classes=1`, for one number in [0, 1] per row: q' = (1 - a) q + a / 2. These are the
    formulas of the losses of Keras; use this step where the loss has no `label_smoothing`, and
    not on top of it. It draws nothing.

    Args:
        smoothing: a in [0, 1). Defaults to 0.1.
        classes: Number of classes for class numbers, 1 for one number per row, None for rows
            (batch, classes) that are one-hot or soft. Defaults to None.
        seed: Without effect. Defaults to None.

    Call arguments:
        x: Inputs, given back as they came.
        y: Labels.
        sample_weight: Weights (batch,), or nothing.

    Returns: `(x, y)` or `(x, y, sample_weight)`, y as floats.

    Raises: InputError for `smoothing` outside [0, 1), or labels that do not fit `classes`;
        `tf.errors.InvalidArgumentError` for class numbers out of range.

    Example:
    >>> _, y = LabelSmoothing(0.3, classes=3)([[0.0]], [2])
    >>> [[round(float(value), 6) for value in row] for row in y]
    [[0.1, 0.1, 0.8]]

    Reference: Szegedy et al. 2016, arXiv:1512.00567, section 7.
    """

    def __init__(
        self, smoothing: float = 0.1, *, classes: int | None = None, seed: int | None = None
    ) -> None:
        super().__init__(classes=classes, seed=seed)
        self.smoothing = check_number("smoothing", smoothing, low=0, high=1, open_high=True)

    def transform(self, x: Any, labels: Any, weight: Any) -> tuple[Any, Any, Any]:
        """Returns the batch with smoothed labels."""
        count = 2 if self.classes == 1 else labels.shape[-1]
        return x, (1 - self.smoothing) * labels + self.smoothing / count, weight

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"smoothing": self.smoothing, **super().get_config()}
