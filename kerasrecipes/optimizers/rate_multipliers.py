"""Learning rates that differ by layer."""

import re
from collections.abc import Mapping
from typing import Any

import keras

from kerasrecipes._checks import check_number, fail
from kerasrecipes._export import export
from kerasrecipes.optimizers.decay import check_patterns


def check_multipliers(multipliers: Mapping[str, float] | None) -> dict[str, float]:
    """Returns {pattern: factor}; a broken pattern or factor is an `InputError`."""
    if multipliers is None:
        return {}
    if not isinstance(multipliers, Mapping):
        fail("rate_multipliers", "a dict from patterns of variable paths to factors", multipliers)
    patterns = check_patterns("rate_multipliers", tuple(multipliers))
    return {
        pattern: check_number(f"rate_multipliers[{pattern!r}]", multipliers[pattern], low=0.0)
        for pattern in patterns
    }


def multiplier_of(variable: Any, multipliers: Mapping[str, float]) -> float:
    """Returns the factor of the first pattern that is found in the variable's path, else 1."""
    found = (f for pattern, f in multipliers.items() if re.search(pattern, variable.path))
    return next(found, 1.0)


@export("optimizers", saved=False)
def layerwise_decay(model: keras.Model, factor: float) -> dict[str, float]:
    """Returns rate multipliers that shrink from the output towards the input.

    The last layer with weights trains at the full rate, the one before it at `factor` times that,
    the next at factor^2, and so on: lower layers of a pre-trained model change less.

    Args:
        model: A built model. Only its own layers are told apart; a nested model counts as one.
        factor: In (0, 1].

    Returns: A dict for the argument `rate_multipliers` of an optimizer.

    Example:
    >>> import keras
    >>> layers = [keras.layers.Dense(2, name=name) for name in ("low", "middle", "head")]
    >>> layerwise_decay(keras.Sequential([keras.Input((3,)), *layers]), 0.5)
    {'(^|/)head/': 1.0, '(^|/)middle/': 0.5, '(^|/)low/': 0.25}

    Reference: Howard & Ruder 2018, arXiv:1801.06146 (discriminative fine-tuning).
    """
    factor = check_number("factor", factor, low=0.0, high=1.0, open_low=True)
    if not isinstance(model, keras.Model) or not model.built:
        fail("model", "a built model", model, "Call it on data first.")
    layers = [layer for layer in reversed(model.layers) if layer.trainable_weights]
    return {f"(^|/){re.escape(layer.name)}/": factor**depth for depth, layer in enumerate(layers)}
