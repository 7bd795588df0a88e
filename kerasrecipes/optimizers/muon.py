"""Muon."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes._export import export
from kerasrecipes.optimizers.decay import check_patterns
from kerasrecipes.optimizers.practice_mixin import PracticeMixin


@export("optimizers")
class Muon(PracticeMixin, keras.optimizers.Muon):
    """Momentum whose matrices are made orthogonal; AdamW for all that is no hidden matrix.

    With gradient G of a matrix of shape (n, m), after the decay of `AdamW`:
        M = a M + G,  U = orthogonal(G + a M),  W = W - r * 0.2 sqrt(max(n, m)) U
    where orthogonal() moves the singular values to about 1 by five Newton-Schulz steps. Vectors,
    kernels of convolutions, embeddings and the output layer are updated as by `AdamW`.

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 1e-3.
        weight_decay: Decay of the weights per update, times the rate. Defaults to 1e-2.
        momentum: a, in [0, 1). Defaults to 0.95.
        exclude_layers: Regular expressions of variable paths that AdamW updates. Defaults to
            ("head",), the output layer of recipe models; name your own model's.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Muon`.

    Example:
    >>> optimizer = Muon(1e-3, exclude_layers=["outputs"])
    >>> optimizer.exclude_layers
    ['outputs']

    Reference: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; the
        factor 0.2 sqrt(max(n, m)) is that of Liu et al. 2025, arXiv:2502.16982.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        *,
        weight_decay: float | None = 1e-2,
        momentum: float = 0.95,
        exclude_layers: Sequence[str] = ("head",),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            momentum=momentum,
            exclude_layers=list(check_patterns("exclude_layers", exclude_layers)),
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        config = super().get_config()
        del config["adam_weight_decay"]
        return {**config, "exclude_layers": list(self.exclude_layers)}
