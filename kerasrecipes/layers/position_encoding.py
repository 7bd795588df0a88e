"""PositionEncoding."""

import math
from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError, check_number
from kerasrecipes._export import export


@export("layers")
class PositionEncoding(keras.layers.Layer):
    """Adds to each step a vector that tells where it is, for layers that do not see the order.

    For step t and channel i of d, with n = d // 2 pairs of channels:
        p[t, i]     = sin(t / longest^(i / n))    for i < n
        p[t, n + i] = cos(t / longest^(i / n))    for i < n
        y = x + p
    and 0 for the last channel of an odd d. Nothing is learned, so any length is taken. The mean
    square of p is 1 / 2; let the inputs be of about unit variance.

    Args:
        longest: Ratio of the longest wavelength to the shortest one, float > 1. Defaults to 1e4.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, steps, channels).

    Returns: Tensor of the shape and dtype of `inputs`.

    Raises: InputError for an argument outside the above, and an input of another rank.

    Example:
    >>> import numpy as np
    >>> y = PositionEncoding(longest=100.0)(np.zeros((1, 3, 4)))
    >>> np.array(y, "float64")[0].round(3).tolist()
    [[0.0, 0.0, 1.0, 1.0], [0.841, 0.1, 0.54, 0.995], [0.909, 0.199, -0.416, 0.98]]

    Reference: Vaswani et al. 2017, arXiv:1706.03762 (sines and cosines apart, which is a
    permutation of channels).
    """

    def __init__(self, longest: float = 1e4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = check_number("longest", longest, low=1.0, open_low=True)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Checks the rank of the input."""
        if len(input_shape) != 3 or input_shape[-1] is None:
            raise InputError(
                "PositionEncoding needs an input (batch, steps, channels). "
                f"Received: shape {tuple(input_shape)}."
            )

    def call(self, inputs: Any) -> Any:
        """Returns `inputs` with the positions added."""
        pairs, odd = divmod(inputs.shape[-1], 2)
        steps = ops.cast(ops.arange(ops.shape(inputs)[1]), "float32")
        angles = steps[:, None] * self.frequencies(pairs)
        parts = [ops.sin(angles), ops.cos(angles)]
        positions = ops.concatenate(parts + [0 * steps[:, None]] * odd, axis=-1)
        return inputs + ops.cast(positions, inputs.dtype)

    def frequencies(self, pairs: int) -> Any:
        """Returns the frequency of each pair of channels."""
        steps = ops.arange(pairs, dtype="float32")
        return ops.exp(steps * (-math.log(self.longest) / max(pairs, 1)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "longest": self.longest}
