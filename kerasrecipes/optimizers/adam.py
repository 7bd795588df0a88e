"""Adam."""

from typing import Any

import keras

from kerasrecipes._export import export
from kerasrecipes.optimizers.fused_adam import FusedAdam
from kerasrecipes.optimizers.practice_mixin import PracticeMixin


@export("optimizers")
class Adam(PracticeMixin, FusedAdam, keras.optimizers.Adam):
    """Adam, with bias correction.

    With gradient g and update t:
        m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2
        w = w - r (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps')
    Keras folds the bias correction into the rate, so eps' = epsilon / sqrt(1 - b2^t).

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 1e-3.
        beta_1: Decay of the mean of g. Defaults to 0.9.
        beta_2: Decay of the mean of g^2. Defaults to 0.999.
        epsilon: Keeps the division finite. Defaults to 1e-8.
        amsgrad: Whether to divide by the largest v so far. Defaults to False.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Optimizer`.

    Example:
    >>> import keras
    >>> weight = keras.Variable([1.0])
    >>> Adam(0.1).apply([keras.ops.ones(1)], [weight])
    >>> round(float(weight.numpy()[0]), 4)
    0.9

    Reference: Kingma & Ba 2015, arXiv:1412.6980.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        *,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            amsgrad=amsgrad,
            **kwargs,
        )
