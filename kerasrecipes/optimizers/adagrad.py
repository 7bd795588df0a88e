"""Adagrad."""

from typing import Any

import keras

from kerasrecipes._export import export
from kerasrecipes.optimizers.practice_mixin import PracticeMixin


@export("optimizers")
class Adagrad(PracticeMixin, keras.optimizers.Adagrad):
    """Adagrad: the gradient over the root of its summed squares.

    With gradient g:
        s = s + g^2,  w = w - r g / sqrt(s + epsilon)

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 1e-2.
        initial_accumulator_value: Start of s. Defaults to 0.0.
        epsilon: Keeps the division finite. Defaults to 1e-8.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Optimizer`.

    Example:
    >>> import keras
    >>> weight = keras.Variable([1.0])
    >>> Adagrad(0.1).apply([keras.ops.ones(1)], [weight])
    >>> round(float(weight.numpy()[0]), 4)
    0.9

    Reference: Duchi et al. 2011, JMLR 12.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-2,
        *,
        initial_accumulator_value: float = 0.0,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            initial_accumulator_value=initial_accumulator_value,
            epsilon=epsilon,
            **kwargs,
        )
