"""RMSprop."""

from typing import Any

import keras

from kerasrecipes._export import export
from kerasrecipes.optimizers.practice_mixin import PracticeMixin


@export("optimizers")
class RMSprop(PracticeMixin, keras.optimizers.RMSprop):
    """RMSprop: the gradient over the root of its recent mean square.

    With gradient g:
        v = rho v + (1 - rho) g^2,  w = w - r g / sqrt(v + epsilon)
    with momentum a: u = a u + r g / sqrt(v + epsilon), w = w - u.

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 1e-3.
        rho: Decay of the mean of g^2. Defaults to 0.9.
        momentum: In [0, 1). Defaults to 0.0.
        epsilon: Keeps the division finite. Defaults to 1e-8.
        centered: Whether to subtract the squared mean of g from v. Defaults to False.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Optimizer`.

    Example:
    >>> import keras
    >>> weight = keras.Variable([1.0])
    >>> RMSprop(0.1).apply([keras.ops.ones(1)], [weight])
    >>> round(float(weight.numpy()[0]), 4)
    0.6838

    Reference: Tieleman & Hinton 2012, Coursera lecture 6e.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        *,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-8,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            rho=rho,
            momentum=momentum,
            epsilon=epsilon,
            centered=centered,
            **kwargs,
        )
