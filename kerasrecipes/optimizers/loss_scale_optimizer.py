"""LossScaleOptimizer."""

from collections.abc import Sequence
from typing import Any, Self

import keras
from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, check_int, check_number
from kerasrecipes._export import export
from kerasrecipes.optimizers.replicas import any_replica
from kerasrecipes.optimizers.sam import SAM
from kerasrecipes.optimizers.wrapper import inner


@export("optimizers")
class LossScaleOptimizer(keras.optimizers.LossScaleOptimizer):
    """Scales the loss so that float16 gradients do not vanish; an overflow skips the update.

    With scale s: the loss times s is differentiated, and the gradients divided by s. If any of
    them is not finite on any replica, no replica updates and s halves; after
    `dynamic_growth_steps` updates in a row it doubles. Keras looks at the first replica only.
    Recipe models bring it along under the policy "mixed_float16".

    Args:
        inner_optimizer: A Keras optimizer, or a name or dict as for `optimizers.get`.
        initial_scale: s at the start, float > 0. Defaults to 2**15.
        dynamic_growth_steps: Updates in a row after which s doubles, int >= 1. Defaults to 2000.
        **kwargs: `name`, as in Keras.

    Raises: InputError around `SAM` and around another `LossScaleOptimizer`.

    Example:
    >>> import kerasrecipes as kr
    >>> optimizer = LossScaleOptimizer(kr.optimizers.Adam(), initial_scale=1024.0)
    >>> optimizer.initial_scale
    1024.0

    Reference: Micikevicius et al. 2018, arXiv:1710.03740.
    """

    def __init__(
        self,
        inner_optimizer: Any,
        *,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        **kwargs: Any,
    ) -> None:
        optimizer = inner(inner_optimizer)
        if any(isinstance(each, SAM) for each in _keras_internals.wrapped(optimizer)):
            raise InputError(
                "SAM cannot train with loss scaling, since it takes two gradients in a step. Use "
                'the policy "mixed_bfloat16", which needs none, or "float32".'
            )
        super().__init__(
            optimizer,
            initial_scale=check_number("initial_scale", initial_scale, low=0.0, open_low=True),
            dynamic_growth_steps=check_int("dynamic_growth_steps", dynamic_growth_steps, low=1),
            **kwargs,
        )

    def check_finite(self, grads: Sequence[Any]) -> Any:
        """Returns whether the gradients of all replicas are finite."""
        return ops.logical_not(any_replica(ops.logical_not(super().check_finite(grads))))

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Returns the optimizer that `get_config` described."""
        return super().from_config(dict(config), custom_objects=custom_objects)


def scaled(optimizer: Any, policy: Any) -> Any:
    """Returns the optimizer with loss scaling if the policy is "mixed_float16" and it has none."""
    if policy.name != "mixed_float16" or not isinstance(optimizer, keras.optimizers.Optimizer):
        return optimizer
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return LossScaleOptimizer(optimizer)
