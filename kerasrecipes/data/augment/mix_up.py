"""MixUp."""

from typing import Any

import keras
import tensorflow as tf

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.data.augment.batch_step import BatchStep, as_floats, beta, mix_labels

_RANKS = tuple(range(1, 8))


@export("augment")
class MixUp(BatchStep):
    """Mixes each row of a batch with another one, inputs and labels alike.

    With a permutation j(i) of the batch, drawn once, and for every row i a share of its own:
        s_i ~ Beta(alpha, alpha)
        x_i' = s_i x_i + (1 - s_i) x_j
        q_i' = s_i q_i + (1 - s_i) q_j           q the one-hot label
    With sample weights w:
        w_i' = s_i w_i + (1 - s_i) w_j
        q_i' = (s_i w_i q_i + (1 - s_i) w_j q_j) / w_i'
    so that the weighted cross-entropy of the mixed row is the mixture of those of the two rows.

    `keras.layers.MixUp` (3.15) takes images of rank 4 only, leaves weights out, and casts labels
    to the dtype of the images.

    Args:
        alpha: Both parameters of the Beta distribution, float > 0. Small ones mix little, 1 is
            uniform. Defaults to 0.2.
        classes: Number of classes for class numbers, 1 for one number per row that is mixed as
            it stands, None for rows (batch, classes). Defaults to None.
        seed: Integer for reproducible draws, or None. `apply` sets its own. Defaults to None.

    Call arguments:
        x: Inputs (batch, ...), floats of any rank, or images of uint8.
        y: Labels.
        sample_weight: Weights (batch,), or nothing.

    Returns: `(x, y)` or `(x, y, sample_weight)`; x in its dtype (uint8 as float), y as floats.

    Raises: InputError for `alpha` <= 0, inputs that are codes or texts, or labels that do not fit
        `classes`; `tf.errors.InvalidArgumentError` for class numbers out of range.

    Example:
    >>> import numpy as np
    >>> x, y = MixUp(0.2, classes=3, seed=0)(np.eye(3, dtype="float32"), np.arange(3))
    >>> bool(np.all(x == y)), tuple(y.shape)
    (True, (3, 3))

    Reference: Zhang et al. 2018, arXiv:1710.09412.
    """

    def __init__(
        self, alpha: float = 0.2, *, classes: int | None = None, seed: int | None = None
    ) -> None:
        super().__init__(classes=classes, seed=seed)
        self.alpha = check_number("alpha", alpha, low=0, open_low=True)

    def transform(self, x: Any, labels: Any, weight: Any) -> tuple[Any, Any, Any]:
        """Returns the mixed batch."""
        x = as_floats(x, _RANKS, "MixUp")
        batch = tf.shape(x)[0]
        partner = keras.random.shuffle(tf.range(batch), seed=self.seed_generator)
        share = beta(batch, self.alpha, self.seed_generator)
        # At least float32, whatever the dtype of x.
        dtype = "float64" if x.dtype == tf.float64 else "float32"
        wide = tf.cast(x, dtype)
        own = tf.reshape(tf.cast(share, dtype), [-1] + [1] * (x.shape.rank - 1))
        mixed = tf.cast(own * wide + (1 - own) * tf.gather(wide, partner), x.dtype)
        labels, weight = mix_labels(share, partner, labels, weight)
        return tf.ensure_shape(mixed, x.shape), labels, weight

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"alpha": self.alpha, **super().get_config()}
