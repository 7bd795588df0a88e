"""SGD."""

from typing import Any

import keras

from kerasrecipes._export import export
from kerasrecipes.optimizers.practice_mixin import PracticeMixin


@export("optimizers")
class SGD(PracticeMixin, keras.optimizers.SGD):
    """Stochastic gradient descent with momentum.

    With gradient g, rate r and momentum a:
        v = a v - r g,  w = w + v;  nesterov: w = w + a v - r g
    The documents write the velocity with the opposite sign; the weights are the same.

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 1e-2.
        momentum: In [0, 1); up to 0.999 for large data. Defaults to 0.9.
        nesterov: Whether to take the gradient ahead of the step. Defaults to False.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Optimizer`.

    Example:
    >>> optimizer = SGD(1e-2, global_clipnorm=1.0)
    >>> optimizer.clipping.global_clipnorm
    1.0

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
