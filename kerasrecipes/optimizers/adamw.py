"""AdamW."""

from typing import Any

import keras

from kerasrecipes._export import export
from kerasrecipes.optimizers.fused_adam import FusedAdam
from kerasrecipes.optimizers.practice_mixin import PracticeMixin


@export("optimizers")
class AdamW(PracticeMixin, FusedAdam, keras.optimizers.AdamW):
    """Adam with decoupled weight decay, which spares biases and normalisations.

    As `Adam`, after
        w = w - r * weight_decay * w
    for every variable that `exclude_from_decay` does not match.

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 1e-3.
        weight_decay: Decay of the weights per update, times the rate. Defaults to 1e-2.
        beta_1: Decay of the mean of g. Defaults to 0.9.
        beta_2: Decay of the mean of g^2. Defaults to 0.999.
        epsilon: Keeps the division finite. Defaults to 1e-8.
        amsgrad: Whether to divide by the largest v so far. Defaults to False.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Optimizer`.

    Example:
    >>> import keras
    >>> weight = keras.Variable([1.0])
    >>> AdamW(0.1).apply([keras.ops.ones(1)], [weight])
    >>> round(float(weight.numpy()[0]), 4)
    0.899

    Reference: Loshchilov & Hutter 2019, arXiv:1711.05101.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        *,
        weight_decay: float | None = 1e-2,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay=0.0 if weight_decay is None else weight_decay,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            amsgrad=amsgrad,
            **kwargs,
        )
