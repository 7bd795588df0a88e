"""Learning rates that differ by layer."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from kerasrecipes._checks import InputError, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.optimizers.decay import check_patterns
from kerasrecipes.optimizers.known import path_of


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
    found = (f for pattern, f in multipliers.items() if re.search(pattern, path_of(variable)))
    return next(found, 1.0)


def check_matches(multipliers: Mapping[str, float], variables: Sequence[Any]) -> None:
    """Refuses multipliers of which not one is for any of the variables."""
    paths = [path_of(variable) for variable in variables]
    if multipliers and not any(re.search(p, path) for p in multipliers for path in paths):
        raise InputError(
            f"`rate_multipliers` must match the path of a trainable variable. Received: "
            f"{list(multipliers)}. The paths are {', '.join(map(repr, paths[:10]))}"
            f"{', ...' if len(paths) > 10 else ''}."
        )


@export("optimizers", saved=False)
def layerwise_decay(model: keras.Model, factor: float) -> dict[str, float]:
    """Returns rate multipliers that shrink from the output towards the input.

    The last layer with weights trains at the full rate, the one before it at `factor` times that,
    the next at factor^2, and so on: lower layers of a pre-trained model change less. Layers that
    are frozen now count too, so their rates are right once they are unfrozen.

    Args:
        model: A built model. Only its own layers are told apart; a nested model counts as one.
        factor: In (0, 1].

    Raises: InputError if two layers have variables of the same path, as a nested model without
        names of its own can have.

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
    layers = [layer for layer in reversed(model.layers) if layer.weights]
    found: dict[str, float] = {}
    for depth, layer in enumerate(layers):
        for pattern in _patterns(layer):
            found.setdefault(pattern, factor**depth)
    for depth, layer in enumerate(layers):
        for weight in layer.weights:
            if multiplier_of(weight, found) != factor**depth:
                raise InputError(
                    f"`model` must have layers of different names. The path {weight.path!r}, in "
                    f"the layer {layer.name!r}, is that of another layer too. Rename one of them."
                )
    return found


def _patterns(layer: Any) -> list[str]:
    """Returns what finds the variables of a layer, also in a model that is saved and loaded.

    The paths within a functional or sequential model need not begin with its name; those of a
    sequential one no longer do once it is loaded.
    """
    is_graph = getattr(layer, "inputs", None) is not None
    inner = [each for each in layer.layers if each.weights] if is_graph else []
    nested = [pattern for each in inner for pattern in _patterns(each)]
    return [f"(^|/){re.escape(layer.name)}/", *nested]
