"""Lion."""

from typing import Any

import keras

from kerasrecipes._export import export
from kerasrecipes.optimizers.practice_mixin import PracticeMixin


@export("optimizers")
class Lion(PracticeMixin, keras.optimizers.Lion):
    """Steps of one size in the direction of the sign of the momentum.

    With gradient g and rate r, after the decay of `AdamW`:
        w = w - r sign(b1 m + (1 - b1) g),  m = b2 m + (1 - b2) g
    The steps are larger than Adam's, so the rate is a tenth of AdamW's and the decay ten times
    as strong.

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 1e-4.
        weight_decay: Decay of the weights per update, times the rate. Defaults to 1e-1.
        beta_1: Weight of the momentum in the sign, in (0, 1]. Defaults to 0.9.
        beta_2: Decay of the momentum. Defaults to 0.99.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Optimizer`.

    Example:
    >>> optimizer = Lion(1e-4, global_clipnorm=1.0)
    >>> optimizer.weight_decay
    0.1

    Reference: Chen et al. 2023, arXiv:2302.06675.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-4,
        *,
        weight_decay: float | None = 1e-1,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay=weight_decay, beta_1=beta_1, beta_2=beta_2, **kwargs
        )
