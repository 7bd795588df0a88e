"""EnsembleDense."""

import math
from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError, check_choice, check_int
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers import _parts
from kerasrecipes.layers._table import even


@export("layers")
class EnsembleDense(keras.layers.Layer):
    """k dense layers that share one kernel and differ by scales (BatchEnsemble, as in TabM).

    For member i with input x_i of length D:
        y_i = activation(((x_i * r_i) W) * s_i + b_i)
    which is a dense layer with kernel W * outer(r_i, s_i). W has shape (D, units), r (k, D),
    s and b (k, units). At the start W, b ~ U(-1/sqrt(D), 1/sqrt(D)), all b_i equal, s = 1, and r
    as `scale_initializer` says: the members differ by it alone, so it must not be "ones" in the
    first layer.

    Args:
        units: Width of the output, int >= 1.
        members: Number of members k, int >= 1. Defaults to 32.
        activation: Name, function or layer, as in `DenseBlock`. Defaults to None.
        scale_initializer: Start of r: "random_signs" (+1 or -1), "normal" (N(0, 1)) or "ones".
            Use "random_signs" in the first layer, "normal" there after embeddings, and "ones" in
            all later layers. Defaults to "random_signs".
        kernel_regularizer: Name or regularizer of W. Defaults to None.
        use_bias: Whether there is b. Defaults to True.
        seed: Integer for reproducible weights, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, D), given to every member, or (batch, k, D).

    Returns: Tensor (batch, k, units).

    Raises: InputError for an argument outside the above, and an input of another rank or number
        of members.

    Example:
    >>> import numpy as np
    >>> layer = EnsembleDense(16, members=4, activation="relu", seed=0)
    >>> tuple(layer(np.ones((8, 10))).shape)
    (8, 4, 16)
    >>> layer.count_params() == 10 * 16 + 4 * (10 + 16 + 16)
    True

    Reference: Wen et al. 2020, arXiv:2002.06715; Gorishniy et al. 2024, arXiv:2410.24210.
    """

    def __init__(
        self,
        units: int,
        members: int = 32,
        *,
        activation: Any = None,
        scale_initializer: str = "random_signs",
        kernel_regularizer: Any = None,
        use_bias: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_int("units", units, low=1)
        self.members = check_int("members", members, low=1)
        self.activation = _parts.template(activation)
        self.scale_initializer = check_choice(
            "scale_initializer", scale_initializer, ["random_signs", "normal", "ones"]
        )
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.use_bias = bool(use_bias)
        self.seed = None if seed is None else check_int("seed", seed)
        self.activate = _parts.activation(
            self.activation, child_seed(self.seed, "activation"), self.dtype_policy
        )

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates the shared kernel and the members' scales and biases."""
        self._check_input(input_shape)
        width, k = input_shape[-1], self.members
        limit = 1 / math.sqrt(width)
        self.input_scale = self.add_weight(
            shape=(k, width), initializer=self._scale, name="input_scale"
        )
        self.kernel = self.add_weight(
            shape=(width, self.units),
            initializer=even(limit, child_seed(self.seed, "kernel")),
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.output_scale = self.add_weight(
            shape=(k, self.units), initializer="ones", name="output_scale"
        )
        if self.use_bias:
            shared = even(limit, child_seed(self.seed, "bias"))
            self.bias = self.add_weight(
                shape=(k, self.units),
                initializer=lambda shape, dtype: ops.tile(shared((1, shape[1]), dtype), (k, 1)),
                name="bias",
            )
        if self.activate is not None:
            self.activate.build((None, k, self.units))

    def _check_input(self, shape: tuple[int | None, ...]) -> None:
        if len(shape) not in (2, 3) or (len(shape) == 3 and shape[1] != self.members):
            raise InputError(
                f"EnsembleDense needs an input (batch, features) or (batch, {self.members}, "
                f"features), since `members={self.members}`. Received: shape {tuple(shape)}."
            )

    def _scale(self, shape: tuple[int, ...], dtype: Any) -> Any:
        seed = child_seed(self.seed, "input_scale")
        if self.scale_initializer == "ones":
            return ops.ones(shape, dtype)
        if self.scale_initializer == "normal":
            return keras.initializers.RandomNormal(0.0, 1.0, seed=seed)(shape, dtype)
        signs = ops.where(even(1.0, seed)(shape, dtype) < 0, -1.0, 1.0)
        return ops.cast(signs, dtype)

    def call(self, inputs: Any) -> Any:
        """Returns the outputs of all members."""
        x = ops.expand_dims(inputs, 1) if len(inputs.shape) == 2 else inputs
        # As one matrix: the gradient of a stack of products is summed product by product.
        rows = ops.reshape(x * self.input_scale, (-1, self.kernel.shape[0]))
        y = ops.reshape(ops.matmul(rows, self.kernel), (-1, self.members, self.units))
        y = y * self.output_scale
        if self.use_bias:
            y = y + self.bias
        return y if self.activate is None else self.activate(y)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, k, units)."""
        return (input_shape[0], self.members, self.units)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "units": self.units,
            "members": self.members,
            "activation": _parts.store(self.activation),
            "scale_initializer": self.scale_initializer,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "use_bias": self.use_bias,
            "seed": self.seed,
        }
