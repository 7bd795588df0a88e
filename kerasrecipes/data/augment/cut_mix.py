"""CutMix."""

from typing import Any

import keras
import tensorflow as tf

from kerasrecipes._checks import check_number
from kerasrecipes._export import export
from kerasrecipes.data.augment.batch_step import BatchStep, as_floats, beta, mix_labels


@export("augment")
class CutMix(BatchStep):
    """Pastes a box of another image of the batch into each image; labels follow the area.

    With a permutation j(i) of the batch, drawn once, for every image i of height H and width W:
        s ~ Beta(alpha, alpha),  h = floor(H sqrt(1 - s)),  w = floor(W sqrt(1 - s))
        centre (r, c):  r uniform on 0..H-1,  c uniform on 0..W-1
        rows r - h // 2 to r + h // 2 and columns c - w // 2 to c + w // 2 (ends not included),
            cut to the image, come from image j
        s_i = 1 - (rows * columns) / (H * W), the share of pixels that stayed, exactly
        q_i' = s_i q_i + (1 - s_i) q_j           q the one-hot label
    Sample weights are mixed as by `MixUp`, with s_i.

    `keras.layers.CutMix` (3.15) compares whole pixels with the broken ends of a box, and gives
    the labels the area of the latter: 9e-5 where 1/8 of a 16 x 16 image came from elsewhere.

    Args:
        alpha: Both parameters of the Beta distribution, float > 0. Defaults to 1.0, the paper's.
        classes: Number of classes for class numbers, 1 for one number per row that is mixed as
            it stands, None for rows (batch, classes). Defaults to None.
        seed: Integer for reproducible draws, or None. `apply` sets its own. Defaults to None.

    Call arguments:
        x: Images (batch, height, width) or (batch, height, width, channels), floats or uint8.
        y: Labels.
        sample_weight: Weights (batch,), or nothing.

    Returns: `(x, y)` or `(x, y, sample_weight)`; x in its dtype (uint8 as float), y as floats.

    Raises: InputError for `alpha` <= 0, inputs that are no images, or labels that do not fit
        `classes`; `tf.errors.InvalidArgumentError` for class numbers out of range.

    Example:
    >>> import numpy as np
    >>> images = np.stack([np.zeros((8, 8)), np.ones((8, 8))]).astype("float32")
    >>> x, y = CutMix(classes=2, seed=1)(images, np.arange(2))
    >>> bool(np.all(np.mean(x, (1, 2)) == y[:, 1]))
    True

    Reference: Yun et al. 2019, arXiv:1905.04899.
    """

    def __init__(
        self, alpha: float = 1.0, *, classes: int | None = None, seed: int | None = None
    ) -> None:
        super().__init__(classes=classes, seed=seed)
        self.alpha = check_number("alpha", alpha, low=0, open_low=True)

    def transform(self, x: Any, labels: Any, weight: Any) -> tuple[Any, Any, Any]:
        """Returns the batch with a box pasted into each image."""
        x = as_floats(x, (3, 4), "CutMix")
        shape = tf.shape(x)
        partner = keras.random.shuffle(tf.range(shape[0]), seed=self.seed_generator)
        side = tf.sqrt(1 - beta(shape[0], self.alpha, self.seed_generator))
        in_rows, rows = self._interval(shape[1], side)
        in_columns, columns = self._interval(shape[2], side)
        box = in_rows[:, :, None] & in_columns[:, None, :]
        box = box if x.shape.rank == 3 else box[..., None]
        mixed = tf.where(box, tf.gather(x, partner), x)
        pasted = tf.cast(rows * columns, "float64") / tf.cast(shape[1] * shape[2], "float64")
        labels, weight = mix_labels(1 - pasted, partner, labels, weight)
        return tf.ensure_shape(mixed, x.shape), labels, weight

    def _interval(self, length: Any, side: Any) -> tuple[Any, Any]:
        """Returns which of `length` places each box takes, (batch, length), and how many."""
        centre = keras.random.randint(tf.shape(side), 0, length, seed=self.seed_generator)
        half = tf.cast(side * tf.cast(length, side.dtype), "int32") // 2
        start = tf.maximum(centre - half, 0)[:, None]
        stop = tf.minimum(centre + half, length)[:, None]
        place = tf.range(length)[None]
        return (place >= start) & (place < stop), (stop - start)[:, 0]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"alpha": self.alpha, **super().get_config()}
