"""The base of the steps that change inputs and labels of a batch together."""

from typing import Any, Self

import keras
import tensorflow as tf

from kerasrecipes._checks import InputError, check_int, fail
from kerasrecipes._seeds import child_seed


class BatchStep:
    """A function from `(x, y)` or `(x, y, sample_weight)` to the same with soft labels.

    `dataset.map(step)` works, `kerasrecipes.data.augment.apply` is better: its randomness starts
    again where an interrupted run stopped. Labels come out as floats: one-hot rows (batch, C)
    that sum to 1 for `classes=C`.

    Args:
        classes: Number of classes C if the labels are class numbers, shape (batch,) or
            (batch, 1); 1 if they are one number per row that is mixed as it stands, such as a
            binary label; None if they are rows (batch, C), one-hot or multi-label.
        seed: Integer for reproducible draws, or None.
    """

    def __init__(self, *, classes: int | None = None, seed: int | None = None) -> None:
        self.classes = None if classes is None else check_int("classes", classes, low=1)
        self.seed = None if seed is None else check_int("seed", seed)
        own = child_seed(self.seed, type(self).__name__)
        self.seed_generator = keras.random.SeedGenerator(own)

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None) -> tuple[Any, ...]:
        """Returns the batch after the step, with `sample_weight` if it came."""
        if y is None or isinstance(y, (dict, tuple)):
            fail("y", f"one array of labels for {type(self).__name__}", y)
        labels = self.soft_labels(tf.convert_to_tensor(y))
        weight = None
        if sample_weight is not None:
            weight = tf.cast(sample_weight, labels.dtype)
            if weight.shape.rank != 1:
                fail("sample_weight", "one weight per row", f"shape {weight.shape}")
        x, labels, weight = self.transform(x, labels, weight)
        return (x, labels) if weight is None else (x, labels, weight)

    def transform(self, x: Any, labels: Any, weight: Any) -> tuple[Any, Any, Any]:
        """Returns the new inputs, soft labels and weights (or None)."""
        raise NotImplementedError(f"{type(self).__name__} must implement `transform`.")

    def soft_labels(self, y: Any) -> Any:
        """Returns labels as floats, one-hot if they were class numbers."""
        rank, last = y.shape.rank, None if y.shape.rank in (None, 0) else y.shape[-1]
        if not (y.dtype.is_floating or y.dtype.is_integer or y.dtype.is_bool) or rank is None:
            fail("y", "numbers of known rank", f"{y.dtype.name}, shape {y.shape}")
        dtype = keras.config.floatx()
        is_row = rank == 2 and last != 1
        if self.classes is None:
            if not is_row:
                remedy = "Set `classes`: the number of classes, or 1 for one number per row."
                fail("y", "rows (batch, classes) without `classes`", f"shape {y.shape}", remedy)
            return tf.cast(y, dtype)
        if is_row and last == self.classes:
            return tf.cast(y, dtype)
        if is_row or rank not in (1, 2):
            expected = f"class numbers, or rows (batch, {self.classes})"
            fail("y", expected, f"shape {y.shape}")
        return tf.cast(y, dtype) if self.classes == 1 else self._one_hot(y, dtype)

    def _one_hot(self, y: Any, dtype: str) -> Any:
        y = tf.squeeze(y, -1) if y.shape.rank == 2 else y
        numbers = tf.cast(y, "int32")
        whole = tf.debugging.assert_equal(
            tf.cast(numbers, "float64"), tf.cast(y, "float64"), "`y` must hold whole class numbers."
        )
        message = f"`y` must hold class numbers from 0 to {self.classes - 1}."  # type: ignore[operator]
        low = tf.debugging.assert_non_negative(numbers, message)
        high = tf.debugging.assert_less(numbers, self.classes, message)
        checks = [check for check in (whole, low, high) if check is not None]
        with tf.control_dependencies(checks):
            return tf.one_hot(numbers, self.classes, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"classes": self.classes, "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns the step that `get_config` described."""
        return cls(**config)


def mix_labels(share: Any, partner: Any, labels: Any, weight: Any) -> tuple[Any, Any]:
    """Returns the labels and weights of rows mixed with those of their partners.

    With share s of row i, 1 - s of its partner j, labels q and weights w:
        w' = s w_i + (1 - s) w_j,  q' = (s w_i q_i + (1 - s) w_j q_j) / w'
    so that w' * loss(q') = s w_i loss(q_i) + (1 - s) w_j loss(q_j) for every loss that is linear
    in the label, as cross-entropy is. Without weights q' = s q_i + (1 - s) q_j.
    """
    share = tf.cast(share, labels.dtype)
    other = 1 - share
    new = None
    if weight is not None:
        own, theirs = share * weight, other * tf.gather(weight, partner)
        new = own + theirs
        used = tf.where(new != 0, new, tf.ones_like(new))
        share = tf.where(new != 0, own / used, share)
        other = tf.where(new != 0, theirs / used, other)
    shape = tf.concat([tf.shape(share), tf.ones([tf.rank(labels) - 1], tf.int32)], 0)
    share, other = tf.reshape(share, shape), tf.reshape(other, shape)
    mixed = share * labels + other * tf.gather(labels, partner)
    return tf.ensure_shape(mixed, labels.shape), new


def beta(batch: Any, alpha: float, seed: Any) -> Any:
    """Returns float32 draws from Beta(alpha, alpha), exact for small alpha too.

    `keras.random.beta` divides gamma draws, which underflow for an alpha below about 0.05. Here
    their logarithms come from log G(a) = log G(a + 1) + log(U) / a.
    """

    def log_gamma() -> Any:
        tiny = 1e-30  # of U = 0
        uniform = keras.random.uniform((batch,), dtype="float32", seed=seed)
        gamma = keras.random.gamma((batch,), alpha + 1.0, dtype="float32", seed=seed)
        return tf.math.log(gamma) + tf.math.log(tf.maximum(uniform, tiny)) / alpha

    return tf.sigmoid(log_gamma() - log_gamma())


def as_floats(x: Any, ranks: tuple[int, ...], step: str) -> Any:
    """Returns floats as they are and bytes as floats; other inputs are refused."""
    if isinstance(x, (dict, tuple)):
        fail("x", f"one array for {step}", x)
    x = tf.convert_to_tensor(x)
    if not (x.dtype.is_floating or x.dtype == tf.uint8):
        raise InputError(
            f"`x` must be floats, or images of uint8, for {step}. Received: {x.dtype.name}. "
            "Codes and texts cannot be mixed; cast measured values to floats."
        )
    if x.shape.rank not in ranks:
        fail("x", f"of rank {' or '.join(map(str, ranks))} for {step}", f"shape {x.shape}")
    return x if x.dtype.is_floating else tf.cast(x, keras.config.floatx())
