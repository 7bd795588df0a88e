"""EnsembleHead."""

import math
from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError, check_int
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers import _parts
from kerasrecipes.layers._table import even


@export("layers")
class EnsembleHead(keras.layers.Layer):
    """One dense layer of its own for each member of an ensemble.

    For member i:
        y_i = activation(x_i W_i + b_i)
    with W of shape (k, D, units) and b (k, units); both start as U(-1/sqrt(D), 1/sqrt(D)). Train
    on the mean of the members' losses, never on the loss of their mean, which would make them one
    model; predict with the mean of their probabilities.

    Args:
        units: Width of the output, int >= 1.
        activation: Name, function or layer, as in `DenseBlock`. Defaults to None.
        use_bias: Whether there is b. Defaults to True.
        kernel_regularizer: Name or regularizer of W. Defaults to None.
        seed: Integer for reproducible weights, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, k, D).

    Returns: Tensor (batch, k, units).

    Raises: InputError if `units` is not a positive integer or the input has another rank.

    Example:
    >>> import numpy as np
    >>> layer = EnsembleHead(3, "softmax", seed=0)
    >>> np.array(layer(np.ones((2, 4, 8)))).sum(-1).round(4).tolist()
    [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
    >>> layer.count_params() == 4 * (8 * 3 + 3)
    True

    Reference: Gorishniy et al. 2024, arXiv:2410.24210.
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        *,
        use_bias: bool = True,
        kernel_regularizer: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_int("units", units, low=1)
        self.activation = _parts.template(activation)
        self.use_bias = bool(use_bias)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.seed = None if seed is None else check_int("seed", seed)
        self.activate = _parts.activation(
            self.activation, child_seed(self.seed, "activation"), self.dtype_policy
        )

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates one kernel and bias per member."""
        if len(input_shape) != 3 or None in input_shape[1:]:
            raise InputError(
                "EnsembleHead needs an input (batch, members, features), such as an EnsembleDense "
                f"gives. Received: shape {tuple(input_shape)}."
            )
        _, k, width = input_shape
        limit = 1 / math.sqrt(width)
        self.kernel = self.add_weight(
            shape=(k, width, self.units),
            initializer=even(limit, child_seed(self.seed, "kernel")),
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(k, self.units),
                initializer=even(limit, child_seed(self.seed, "bias")),
                name="bias",
            )
        if self.activate is not None:
            self.activate.build((None, k, self.units))

    def call(self, inputs: Any) -> Any:
        """Returns the outputs of all members."""
        y = ops.einsum("bkd,kdu->bku", inputs, self.kernel)
        if self.use_bias:
            y = y + self.bias
        return y if self.activate is None else self.activate(y)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, k, units)."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": _parts.store(self.activation),
            "use_bias": self.use_bias,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "seed": self.seed,
        }
