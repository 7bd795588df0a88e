"""WeightStandardization."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError, check_number
from kerasrecipes._export import export
from kerasrecipes.layers._kernel import KernelWrapper, full_precision


@export("layers")
class WeightStandardization(KernelWrapper):
    """Gives the kernel of a layer zero mean and unit variance for each output channel.

    With mean m_c and variance v_c over the weights W_c that lead to output channel c:
        W'_c = (W_c - m_c) / sqrt(v_c + epsilon)
    The layer computes with W'; training moves W, through the standardisation. Outputs grow with
    the number of inputs, so a normalisation must follow, usually `GroupNormalization`.

    Args:
        layer: A Dense, Conv, DepthwiseConv or ConvTranspose layer of Keras.
        epsilon: Added to the variance, float > 0. Defaults to 1e-10.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Call arguments:
        inputs: What `layer` takes.

    Returns: What `layer` returns.

    Raises: InputError for another kind of layer, or one with a single weight per output channel,
        which would always be 0.

    Example:
    >>> import keras, numpy as np
    >>> layer = WeightStandardization(keras.layers.Conv2D(8, 3, padding="same"))
    >>> tuple(layer(np.ones((1, 6, 6, 4))).shape)
    (1, 6, 6, 8)
    >>> kernel = np.array(layer.effective_kernel())
    >>> bool(abs(kernel.mean((0, 1, 2))).max() < 1e-6), kernel.std((0, 1, 2)).round(3).tolist()
    (True, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])

    Reference: Qiao et al. 2019, arXiv:1903.10520.
    """

    def __init__(self, layer: keras.layers.Layer, *, epsilon: float = 1e-10, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.epsilon = check_number("epsilon", epsilon, low=0, open_low=True)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the weights of the layer."""
        super().build(input_shape)
        shape = self.layer.kernel.shape
        if all(shape[axis] == 1 for axis in self.input_axes()):
            raise InputError(
                "WeightStandardization needs more than one weight per output channel. "
                f"Received: {self.layer.name} with a kernel of shape {tuple(shape)}."
            )

    def effective_kernel(self) -> Any:
        """Returns W', in float32 at least."""
        kernel = full_precision(self.layer.kernel)
        axes = self.input_axes()
        centred = kernel - ops.mean(kernel, axes, keepdims=True)
        variance = ops.mean(ops.square(centred), axes, keepdims=True)
        return centred / ops.sqrt(variance + self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "epsilon": self.epsilon}
