"""ChannelPReLU."""

from typing import Any

import keras

from kerasrecipes._export import export


@export("layers")
class ChannelPReLU(keras.layers.PReLU):
    """PReLU with one learned slope per channel, starting at 0.25.

        y = x if x >= 0 else a_c * x
    for the channel c of the last axis, whatever the rank of the input. `keras.layers.PReLU` learns
    a slope per position unless told which axes to share, and starts at 0, where it is a plain
    ReLU. Do not decay the slopes: that pulls them towards ReLU.

    Args:
        alpha_initializer: Initializer of the slopes. Defaults to the constant 0.25.
        **kwargs: Arguments of `keras.layers.PReLU` other than `shared_axes`.

    Call arguments:
        inputs: Tensor (batch, ..., channels).

    Returns: Tensor of the shape and dtype of `inputs`.

    Example:
    >>> import numpy as np
    >>> layer = ChannelPReLU()
    >>> np.array(layer(np.array([[-4.0, 2.0]]))).tolist()
    [[-1.0, 2.0]]
    >>> tuple(layer.alpha.shape)
    (2,)

    Reference: He et al. 2015, arXiv:1502.01852, section 2.1.
    """

    def __init__(self, *, alpha_initializer: Any = None, **kwargs: Any) -> None:
        if alpha_initializer is None:
            alpha_initializer = keras.initializers.Constant(0.25)
        super().__init__(alpha_initializer=alpha_initializer, **kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates one slope per channel."""
        self.shared_axes = list(range(1, len(input_shape) - 1))
        super().build(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        config = super().get_config()
        del config["shared_axes"]
        return config
