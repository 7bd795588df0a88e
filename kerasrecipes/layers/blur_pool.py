"""BlurPool."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes._checks import InputError, check_choice, check_int
from kerasrecipes._export import export


@export("layers")
class BlurPool(keras.layers.Layer):
    """Blurs with a fixed binomial filter, then keeps every second position.

    Subsampling without a blur lets a shift of the input by one position change the output. With
    binomial weights w_i = C(k-1, i) / 2^(k-1) along every spatial axis, per channel:
        y[t] = sum_i w_i * x[strides * t + i - (k - 1) // 2]
    The weights sum to 1, and both paddings keep that at the borders, so a constant input stays
    constant. Nothing is learned. In place of max pooling, pool with strides 1 first; in place of
    a strided convolution, use strides 1 there and blur after the activation. Channels come last.

    Args:
        kernel_size: Width k of the filter, int >= 2: 3 is [1, 2, 1] / 4, 5 is
            [1, 4, 6, 4, 1] / 16. Defaults to 3.
        strides: Positions kept, one of this many, int >= 1. Defaults to 2.
        padding: "reflect" mirrors the input at the border; "same" leaves positions outside out
            and rescales the rest. Both give ceil(length / strides) positions. Defaults to
            "reflect".
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, steps, channels) or (batch, height, width, channels).

    Returns: Tensor of the rank and dtype of `inputs`.

    Raises: InputError for an argument outside the above, an input of another rank, and for
        "reflect" on an axis too short to mirror.

    Example:
    >>> import numpy as np
    >>> x = np.array([0.0, 0.0, 4.0, 0.0, 0.0, 0.0]).reshape(1, 6, 1)
    >>> np.array(BlurPool(3)(x)).ravel().tolist()
    [0.0, 2.0, 0.0]
    >>> tuple(BlurPool(5)(np.ones((1, 7, 8, 2))).shape)
    (1, 4, 4, 2)

    Reference: Zhang 2019, arXiv:1904.11486.
    """

    def __init__(
        self, kernel_size: int = 3, *, strides: int = 2, padding: str = "reflect", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = check_int("kernel_size", kernel_size, low=2)
        self.strides = check_int("strides", strides, low=1)
        self.padding = check_choice("padding", padding, ["reflect", "same"])

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Checks the rank and length of the input."""
        if len(input_shape) not in (3, 4):
            raise InputError(
                "BlurPool needs an input (batch, steps, channels) or (batch, height, width, "
                f"channels). Received: shape {tuple(input_shape)}."
            )
        reach = self.kernel_size // 2
        short = [n for n in input_shape[1:-1] if n is not None and n <= reach]
        if self.padding == "reflect" and short:
            raise InputError(
                f"`padding='reflect'` with `kernel_size={self.kernel_size}` needs more than "
                f"{reach} positions along every axis. Received: shape {tuple(input_shape)}. "
                "Use `padding='same'`."
            )

    def call(self, inputs: Any) -> Any:
        """Returns the blurred and subsampled input."""
        if self.padding == "reflect":
            return self._blur(ops.pad(inputs, self._pads(inputs), mode="reflect"))
        blurred = self._blur(ops.pad(inputs, self._pads(inputs)))
        inside = ops.ones_like(inputs[:1, ..., :1])
        return blurred / self._blur(ops.pad(inside, self._pads(inputs)))

    def _pads(self, inputs: Any) -> list[tuple[int, int]]:
        left = (self.kernel_size - 1) // 2
        spatial = [(left, self.kernel_size - 1 - left)] * (len(inputs.shape) - 2)
        return [(0, 0), *spatial, (0, 0)]

    def _blur(self, padded: Any) -> Any:
        rank, channels = len(padded.shape) - 2, padded.shape[-1]
        row = np.array([math.comb(self.kernel_size - 1, i) for i in range(self.kernel_size)])
        window = row / row.sum() if rank == 1 else np.outer(row, row) / row.sum() ** 2
        kernel = np.repeat(window[..., None, None], channels, axis=-2)
        return ops.depthwise_conv(
            padded,
            ops.convert_to_tensor(kernel, padded.dtype),
            strides=self.strides,
            padding="valid",
            data_format="channels_last",
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the shape with ceil(length / strides) positions per spatial axis."""
        spatial = [None if n is None else -(-n // self.strides) for n in input_shape[1:-1]]
        return (input_shape[0], *spatial, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
        }
