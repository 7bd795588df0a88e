"""ConvBlock."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError, check_choice, check_int
from kerasrecipes._export import export
from kerasrecipes.layers._block import Block

_CONVOLUTIONS = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D, 3: keras.layers.Conv3D}


@export("layers")
class ConvBlock(Block):
    """A convolution with its normalisation, activation and dropout.

    In the default order, with no bias, since beta of the normalisation makes it redundant:
        y = dropout(activation(norm(conv(x))))
    and with `residual=True`:
        y = shortcut(x) + dropout(activation(norm(conv(x))))
    where the shortcut is x itself, or a convolution of size 1 with the same strides when
    channels or strides differ. Channels come last.

    Args:
        filters: Channels of the output, int >= 1.
        kernel_size: Size of the window, int or one int per spatial axis. Defaults to 3.
        rank: Number of spatial axes: 1 for sequences, 2 for images, 3 for volumes. Defaults to 2.
        strides: Step of the window, int or one int per spatial axis. Defaults to 1.
        padding: "same", "valid", or "causal" (rank 1 only: a step sees itself and the past).
            Defaults to "same".
        groups: Number of channel groups with filters of their own, int >= 1. Defaults to 1.
        dilation_rate: Spacing of the window, int or one int per spatial axis. Defaults to 1.
        activation: As in `DenseBlock`. Defaults to "relu".
        normalization: As in `DenseBlock`. Defaults to "batch".
        dropout: Rate in [0, 1), or a layer, such as `keras.layers.SpatialDropout2D(0.2)`, which
            drops whole channels. After SELU a rate means AlphaDropout. Defaults to 0.0.
        order: As in `DenseBlock`. Defaults to "linear-norm-activation-dropout".
        residual: Whether to add a shortcut around the block. Defaults to False.
        stochastic_depth: As in `DenseBlock`. Defaults to 0.0.
        kernel_initializer: As in `DenseBlock`. Defaults to "auto".
        bias_initializer: Name or initializer. Defaults to "zeros".
        kernel_regularizer: Name or regularizer of the kernels. Defaults to None.
        use_bias: As in `DenseBlock`. Defaults to "auto".
        synchronized: As in `DenseBlock`. Defaults to False.
        seed: As in `DenseBlock`. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, *spatial, channels).
        training: Whether dropout drops and batch normalisation uses the batch.
        mask: Boolean tensor (batch, steps), for rank 1 only. Steps that are False enter the
            convolution as zeros and are left out of the batch statistics. Step t of the output is
            masked as step t * strides of the input.

    Returns: Tensor (batch, *new spatial, filters).

    Raises: InputError for an argument outside the above, and for `residual=True` with a padding
        that shortens the branch.

    Example:
    >>> import keras
    >>> block = ConvBlock(16, strides=2, residual=True)
    >>> block(keras.Input((32, 32, 3))).shape
    (None, 16, 16, 16)
    >>> [tuple(weight.shape) for weight in block.trainable_weights]
    [(3, 3, 3, 16), (16,), (16,), (1, 1, 3, 16)]
    >>> ConvBlock(8, 5, rank=1, padding="causal")(keras.Input((None, 4))).shape
    (None, None, 8)

    Reference: Ioffe & Szegedy 2015, arXiv:1502.03167 (order and bias); He et al. 2015,
    arXiv:1512.03385 (shortcut).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...] = 3,
        *,
        rank: int = 2,
        strides: int | tuple[int, ...] = 1,
        padding: str = "same",
        groups: int = 1,
        dilation_rate: int | tuple[int, ...] = 1,
        activation: Any = "relu",
        normalization: Any = "batch",
        dropout: Any = 0.0,
        order: str = "linear-norm-activation-dropout",
        residual: bool = False,
        stochastic_depth: float = 0.0,
        kernel_initializer: Any = "auto",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        use_bias: bool | str = "auto",
        synchronized: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation,
            normalization=normalization,
            dropout=dropout,
            order=order,
            residual=residual,
            stochastic_depth=stochastic_depth,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            use_bias=use_bias,
            synchronized=synchronized,
            seed=seed,
            **kwargs,
        )
        self.filters = check_int("filters", filters, low=1)
        self.rank = check_choice("rank", rank, _CONVOLUTIONS)
        self.kernel_size = _per_axis("kernel_size", kernel_size, rank)
        self.strides = _per_axis("strides", strides, rank)
        paddings = ["same", "valid", "causal"] if rank == 1 else ["same", "valid"]
        self.padding = check_choice("padding", padding, paddings)
        self.groups = check_int("groups", groups, low=1)
        self.dilation_rate = _per_axis("dilation_rate", dilation_rate, rank)
        self._check_combinations()
        self._make_steps()

    def _check_combinations(self) -> None:
        if self.filters % self.groups:
            raise InputError(
                "`groups` must divide `filters`. "
                f"Received: groups={self.groups}, filters={self.filters}."
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise InputError(
                "`strides` and `dilation_rate` cannot both exceed 1. "
                f"Received: strides={self.strides}, dilation_rate={self.dilation_rate}."
            )
        if self.residual and self.padding == "valid" and max(self.kernel_size) > 1:
            raise InputError(
                "`residual=True` needs a branch as long as its shortcut, but `padding='valid'` "
                f"shortens it for kernel_size={self.kernel_size}. Use `padding='same'`."
            )

    def _linear(self, **arguments: Any) -> keras.layers.Layer:
        return self._convolution(
            self.kernel_size,
            padding=self.padding,
            groups=self.groups,
            dilation_rate=self.dilation_rate,
            **arguments,
        )

    def _projection(self, **arguments: Any) -> keras.layers.Layer:
        return self._convolution(1, padding="same", **arguments)

    def _convolution(self, kernel_size: Any, **arguments: Any) -> keras.layers.Layer:
        return _CONVOLUTIONS[self.rank](
            self.filters,
            kernel_size,
            strides=self.strides,
            data_format="channels_last",
            dtype=self.dtype_policy,
            **arguments,
        )

    def _needs_projection(self, input_shape: tuple[int | None, ...]) -> bool:
        return input_shape[-1] != self.filters or max(self.strides) > 1

    def _masked(self, x: Any, mask: Any) -> Any:
        if mask is None:
            return x
        return x * ops.cast(ops.expand_dims(mask, -1), x.dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Returns the mask of the output."""
        if previous_mask is None:
            return None
        lost = (self.kernel_size[0] - 1) * self.dilation_rate[0] if self.padding == "valid" else 0
        return previous_mask[:, : -lost or None : self.strides[0]]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "rank": self.rank,
            "strides": self.strides,
            "padding": self.padding,
            "groups": self.groups,
            "dilation_rate": self.dilation_rate,
        }


def _per_axis(argument: str, value: Any, rank: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    if len(values) != rank:
        raise InputError(
            f"`{argument}` must be an integer, or one for each of the {rank} spatial axes "
            f"(`rank={rank}`). Received: {value!r}."
        )
    return tuple(check_int(argument, each, low=1) for each in values)
