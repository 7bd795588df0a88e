"""The norms of the latest gradients, and the threshold that follows from them."""

from typing import Any

from keras import ops

from kerasrecipes.optimizers.replicas import add_shared

LENGTH = 500
PERCENTILE = 90.0


class NormHistory:
    """A ring of the latest gradient norms, kept in a variable of an optimizer.

    Args:
        optimizer: Keras optimizer that the variable belongs to, or what else has `add_variable`.

    Reference: Seetharaman et al. 2020, arXiv:2007.14469, who clip at a percentile of all norms
        so far; here it is of the latest 500, so that it follows the training.
    """

    def __init__(self, optimizer: Any) -> None:
        self._norms = add_shared(optimizer, "gradient_norms", shape=(LENGTH,))
        self._count = add_shared(optimizer, "gradient_norm_count", dtype="int32")

    def add(self, norm: Any, keep: Any) -> Any:
        """Adds a norm and returns the percentile with it; a non-finite one is not added.

        Args:
            norm: Scalar tensor.
            keep: Scalar boolean tensor, whether the norm counts.
        """
        norms, count = ops.convert_to_tensor(self._norms), ops.convert_to_tensor(self._count)
        place = ops.equal(ops.arange(LENGTH, dtype="int32"), count % LENGTH)
        keep = ops.logical_and(keep, ops.isfinite(norm))
        norms = ops.where(ops.logical_and(place, keep), norm, norms)
        count = count + ops.cast(keep, "int32")
        self._norms.assign(norms)
        self._count.assign(count)
        return percentile(norms, ops.minimum(count, LENGTH))

    def percentile(self, percent: float) -> tuple[Any, Any]:
        """Returns the percentile of the norms held, and how many were added so far."""
        count = ops.convert_to_tensor(self._count)
        norms = ops.convert_to_tensor(self._norms)
        return percentile(norms, ops.minimum(count, LENGTH), percent), count

    def clear(self, condition: Any) -> None:
        """Forgets all norms if a scalar boolean tensor is true."""
        self._count.assign(ops.where(condition, 0, ops.convert_to_tensor(self._count)))


def percentile(norms: Any, count: Any, percent: float = PERCENTILE) -> Any:
    """Returns a percentile of the first `count` entries, interpolated linearly.

    With nothing to go by, count = 0, it is infinite.
    """
    filled = ops.less(ops.arange(LENGTH, dtype="int32"), count)
    ordered = ops.sort(ops.where(filled, norms, float("inf")))
    position = ops.cast(ops.maximum(count - 1, 0), "float32") * (percent / 100)
    below = ops.cast(ops.floor(position), "int32")
    above = ops.cast(ops.ceil(position), "int32")
    low, high = ops.take(ordered, below), ops.take(ordered, above)
    share = position - ops.cast(below, "float32")
    return ops.where(ops.equal(above, below), low, low + share * (high - low))
