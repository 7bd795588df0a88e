"""What the layers for tables share."""

import keras

from kerasrecipes._checks import InputError


def check_table(layer: keras.layers.Layer, input_shape: tuple[int | None, ...]) -> None:
    """Refuses an input that is not (batch, features)."""
    if len(input_shape) != 2 or input_shape[1] is None:
        raise InputError(
            f"{type(layer).__name__} needs an input (batch, features) with a known number of "
            f"features. Received: shape {tuple(input_shape)}."
        )


def even(limit: float, seed: int | None) -> keras.initializers.Initializer:
    """Returns the uniform initializer on (-limit, limit)."""
    return keras.initializers.RandomUniform(-limit, limit, seed=seed)
