"""Gradient accumulation: one update from the mean gradient of several batches."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasrecipes.optimizers.known import path_of
from kerasrecipes.optimizers.replicas import add_shared


class Accumulation:
    """Sums of gradients since the last update, kept in variables of an optimizer.

    An update is due at every `steps`-th call. The sums are of the whole batch, not of one
    replica's part, so they need no branch that several replicas would have to take together.

    Args:
        optimizer: Keras optimizer that the variables belong to.
        variables: The trainable variables.
        steps: Batches per update, int >= 2.
    """

    def __init__(self, optimizer: Any, variables: Sequence[Any], steps: int) -> None:
        self.steps = steps
        self._index = optimizer._get_variable_index
        self._sums = [
            add_shared(
                optimizer,
                f"{path_of(variable).replace('/', '_')}_accumulated",
                shape=variable.shape,
                dtype=variable.dtype,
            )
            for variable in variables
        ]

    def due(self, calls: Any) -> Any:
        """Returns whether the call after `calls` earlier ones ends in an update."""
        return ops.equal((calls + 1) % self.steps, 0)

    def add(self, gradients: Sequence[Any], variables: Sequence[Any], due: Any) -> list[Any]:
        """Adds gradients to the sums, which begin anew when due; returns their mean."""
        means: list[Any] = []
        for gradient, variable in zip(gradients, variables, strict=True):
            if gradient is None:
                means.append(None)
                continue
            held = self._sums[self._index(variable)]
            total = held + gradient
            held.assign(ops.where(due, ops.zeros_like(total), total))
            means.append(total / self.steps)
        return means
