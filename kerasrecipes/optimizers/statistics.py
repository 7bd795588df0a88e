"""What an optimizer remembers of its updates since the last reset."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes.optimizers.clipping import global_norm
from kerasrecipes.optimizers.replicas import add_shared


class Statistics:
    """Sums over updates, kept in one small variable of an optimizer.

    Args:
        optimizer: Keras optimizer that the variable belongs to.
    """

    def __init__(self, optimizer: Any) -> None:
        self._sums = add_shared(optimizer, "statistics", shape=(5,))

    def record_gradient(self, norm: Any, clipped: Any, due: Any) -> None:
        """Counts a gradient of the given norm, and whether clipping changed it."""
        zero = ops.zeros((), "float32")
        new = ops.stack([zero + 1, norm, ops.cast(clipped, "float32"), zero, zero])
        self._add(new, due)

    def record_update(self, before: Sequence[Any], after: Sequence[Any], due: Any) -> None:
        """Counts an update: the norm of its step over the norm of the weights before it."""
        step = global_norm([a - b for a, b in zip(after, before, strict=True)])
        ratio = step / ops.maximum(global_norm(before), 1e-12)
        zero = ops.zeros((), "float32")
        self._add(ops.stack([zero, zero, zero, zero + 1, ratio]), due)

    def _add(self, new: Any, due: Any) -> None:
        sums = ops.convert_to_tensor(self._sums)
        self._sums.assign(sums + ops.where(due, new, ops.zeros_like(new)))

    def reset(self) -> None:
        """Begins anew."""
        self._sums.assign(ops.zeros((5,)))

    def means(self, *, clipping: bool) -> dict[str, float]:
        """Returns the means by name; only of what was recorded.

        Args:
            clipping: Whether the optimizer clips, so that the clipped fraction means something.
        """
        sums = keras.ops.convert_to_numpy(self._sums)
        gradients, norms, clipped, updates, ratios = map(float, sums)
        found = {}
        if gradients:
            found["gradient_norm"] = norms / gradients
        if gradients and clipping:
            found["clipped_fraction"] = clipped / gradients
        if updates:
            found["update_ratio"] = ratios / updates
        return found
