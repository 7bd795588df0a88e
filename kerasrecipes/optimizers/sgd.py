"""SGD."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._export import export
from kerasrecipes.optimizers.practice_mixin import PracticeMixin


class _SGD(keras.optimizers.SGD):
    """Keras's SGD, but the momentum can be a tensor, as a schedule gives it."""

    scheduled_momentum: Any

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable."""
        momentum = self.scheduled_momentum(variable.dtype) if self.momentum else None
        if momentum is None:
            super().update_step(gradient, variable, learning_rate)
            return
        step = ops.cast(gradient, variable.dtype) * ops.cast(learning_rate, variable.dtype)
        v = self.momentums[self._get_variable_index(variable)]
        self.assign(v, v * momentum - step)
        self.assign_add(variable, v * momentum - step if self.nesterov else v)


@export("optimizers")
class SGD(PracticeMixin, _SGD):
    """Stochastic gradient descent with momentum.

    With gradient g, rate r and momentum a:
        v = a v - r g,  w = w + v;  nesterov: w = w + a v - r g
    The documents write the velocity with the opposite sign; the weights are the same. A schedule
    with a momentum, such as `OneCycle`, takes the place of a, unless a is 0.

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 1e-2.
        momentum: In [0, 1); up to 0.999 for large data. Defaults to 0.9.
        nesterov: Whether to take the gradient ahead of the step. Defaults to False.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Optimizer`.

    Example:
    >>> import keras
    >>> weight = keras.Variable([1.0])
    >>> SGD(0.1).apply([keras.ops.ones(1)], [weight])
    >>> round(float(weight.numpy()[0]), 4)
    0.9

    Reference: Sutskever et al. 2013, ICML.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-2,
        *,
        momentum: float = 0.9,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            **kwargs,
        )
