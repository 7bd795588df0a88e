"""Adadelta."""

from typing import Any

import keras

from kerasrecipes._export import export
from kerasrecipes.optimizers.practice_mixin import PracticeMixin


@export("optimizers")
class Adadelta(PracticeMixin, keras.optimizers.Adadelta):
    """Adadelta: steps in proportion to the root mean square of the last steps.

    With gradient g:
        v = rho v + (1 - rho) g^2,  d = g sqrt(u + epsilon) / sqrt(v + epsilon)
        u = rho u + (1 - rho) d^2,  w = w - r d

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 1.0.
        rho: Decay of both means. Defaults to 0.95.
        epsilon: Keeps the division finite, and starts the steps. Defaults to 1e-6.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Optimizer`.

    Example:
    >>> import keras
    >>> weight = keras.Variable([1.0])
    >>> Adadelta(1.0).apply([keras.ops.ones(1)], [weight])
    >>> round(float(weight.numpy()[0]), 4)
    0.9955

    Reference: Zeiler 2012, arXiv:1212.5701.
    """

    def __init__(
        self,
        learning_rate: Any = 1.0,
        *,
        rho: float = 0.95,
        epsilon: float = 1e-6,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            rho=rho,
            epsilon=epsilon,
            **kwargs,
        )
