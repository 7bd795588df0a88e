"""SqueezeExcite."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import check_int
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers import _parts


@export("layers")
class SqueezeExcite(keras.layers.Layer):
    """Scales every channel by a gate computed from the means of all channels.

    With C channels, z the mean of x over the spatial axes and h = max(C // ratio, minimum) units:
        s = sigmoid(W2 relu(W1 z + b1) + b2),  y = x * s
    where W1 maps C to h and W2 maps h to C. Put it at the end of a residual branch.

    Args:
        ratio: Reduction of the channels inside the gate, int >= 1. Defaults to 16.
        minimum: Least number of units inside the gate, int >= 1. Defaults to 4.
        activation: Activation inside the gate, as in `DenseBlock`. Defaults to "relu".
        seed: Integer for reproducible weights, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, *spatial, channels) with at least one spatial axis.
        mask: Boolean tensor (batch, *spatial): positions that are False do not enter the mean.

    Returns: Tensor of the shape and dtype of `inputs`.

    Raises: InputError if `ratio` or `minimum` is not a positive integer.

    Example:
    >>> import numpy as np
    >>> layer = SqueezeExcite(8, seed=0)
    >>> tuple(layer(np.ones((2, 4, 4, 32))).shape)
    (2, 4, 4, 32)
    >>> [tuple(weight.shape) for weight in layer.weights]
    [(32, 4), (4,), (4, 32), (32,)]

    Reference: Hu et al. 2018, arXiv:1709.01507.
    """

    def __init__(
        self,
        ratio: int = 16,
        *,
        minimum: int = 4,
        activation: Any = "relu",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ratio = check_int("ratio", ratio, low=1)
        self.minimum = check_int("minimum", minimum, low=1)
        self.activation = _parts.template(activation)
        self.seed = None if seed is None else check_int("seed", seed)
        self.supports_masking = True

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates the two dense layers of the gate."""
        channels = input_shape[-1]
        units = max(channels // self.ratio, self.minimum)
        self.activate = _parts.needed_activation(
            self.activation, child_seed(self.seed, "activation"), self.dtype_policy
        )
        self.squeeze = self._dense(units, self.activate, "squeeze")
        self.excite = self._dense(channels, "sigmoid", "excite")
        self.squeeze.build((None, channels))
        self.activate.build((None, units))
        self.excite.build((None, units))

    def _dense(self, units: int, activation: Any, name: str) -> keras.layers.Dense:
        initializer = _parts.kernel_initializer("auto", activation, child_seed(self.seed, name))
        return keras.layers.Dense(
            units, kernel_initializer=initializer, dtype=self.dtype_policy, name=name
        )

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Returns `inputs` with its channels scaled."""
        gate = ops.sigmoid(self.excite(self.activate(self.squeeze(means(inputs, mask)))))
        return inputs * ops.expand_dims(gate, list(range(1, len(inputs.shape) - 1)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "minimum": self.minimum,
            "activation": _parts.store(self.activation),
            "seed": self.seed,
        }


def means(inputs: Any, mask: Any = None) -> Any:
    """Returns the mean of each channel over the positions that are not masked."""
    axes = list(range(1, len(inputs.shape) - 1))
    if mask is None:
        return ops.mean(inputs, axis=axes)
    weights = ops.cast(ops.expand_dims(mask, -1), inputs.dtype)
    count = ops.maximum(ops.sum(weights, axis=axes), 1)
    return ops.sum(inputs * weights, axis=axes) / count
