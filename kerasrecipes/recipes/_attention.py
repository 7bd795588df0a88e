"""The parts of a pre-norm transformer."""

import math
from typing import Any

import keras

from kerasrecipes import initializers
from kerasrecipes._checks import check_int, fail
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers import _parts
from kerasrecipes.layers._cheapest_dropout import cheapest_dropout
from kerasrecipes.layers.conv_block import ConvBlock


class AttentionParts:
    """Makes the parts of one transformer.

    Args:
        units: Length of the vector of each step.
        rate: Dropout of attention, hidden units and sums.
        initializer: Kernels of dense layers and convolutions, as recipes take it.
        penalty: Regularizer of all kernels, or None.
        seed: Seed of the network, or None.
    """

    def __init__(
        self, units: int, rate: float, initializer: Any, penalty: Any, seed: int | None
    ) -> None:
        self.units = units
        self.rate = rate
        self.initializer = initializer
        self.penalty = penalty
        self.seed = seed

    def convolution(self, x: Any, kernel_size: int, strides: int) -> Any:
        """Returns one vector for each window of steps."""
        return ConvBlock(
            self.units,
            check_int("kernel_size", kernel_size, low=1),
            rank=1,
            strides=check_int("strides", strides, low=1),
            activation=None,
            normalization=None,
            kernel_initializer=self.initializer,
            kernel_regularizer=self.penalty,
            seed=child_seed(self.seed, "embedding"),
            name="embedding",
        )(x)

    def attended(self, x: Any, num_heads: int, name: str) -> Any:
        """Returns x + dropout(attention(norm(x)))."""
        y = keras.layers.LayerNormalization(name=f"{name}_attention_norm")(x)
        attention = keras.layers.MultiHeadAttention(
            num_heads,
            self.units // num_heads,
            dropout=self.rate,
            # Not Glorot: `redraw` would take (units, heads, size) for a convolution's kernel.
            kernel_initializer=keras.initializers.RandomNormal(stddev=1 / math.sqrt(self.units)),
            kernel_regularizer=self.penalty,
            seed=child_seed(self.seed, name, "attention"),
            name=f"{name}_attention",
        )
        y = attention(y, y)
        # Else all kernels would be copies of one another under a seed.
        initializers.redraw(attention, seed=child_seed(self.seed, name, "kernels"))
        return self._sum(x, y, f"{name}_attention")

    def mapped(self, x: Any, hidden: int, activation: Any, name: str) -> Any:
        """Returns x + dropout(W2 dropout(activation(W1 norm(x))))."""
        seed = child_seed(self.seed, name, "activation")
        activate = _parts.named_activation(activation, seed, f"{name}_activation")
        if activate is None:
            fail("activation", "a name, a function or a layer", activation)
        y = keras.layers.LayerNormalization(name=f"{name}_hidden_norm")(x)
        y = activate(self._dense(hidden, activate, f"{name}_hidden")(y))
        y = self.dropped(y, f"{name}_hidden")
        y = self._dense(self.units, None, f"{name}_output")(y)
        return self._sum(x, y, f"{name}_output")

    def dropped(self, x: Any, name: str) -> Any:
        """Returns x with dropout."""
        if self.rate == 0:
            return x
        seed = child_seed(self.seed, name, "dropout")
        return cheapest_dropout(self.rate, seed=seed, name=f"{name}_dropout")(x)

    def _dense(self, units: int, activation: Any, name: str) -> Any:
        seed = child_seed(self.seed, name, "kernel")
        return keras.layers.Dense(
            units,
            kernel_initializer=initializers.get(self.initializer, activation=activation, seed=seed),
            kernel_regularizer=self.penalty,
            name=name,
        )

    def _sum(self, x: Any, y: Any, name: str) -> Any:
        return keras.layers.Add(name=f"{name}_sum")([x, self.dropped(y, name)])
