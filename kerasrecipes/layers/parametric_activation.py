"""ParametricActivation."""

from typing import Any

import keras

from kerasrecipes._export import export
from kerasrecipes.layers import _parts


@export("layers")
class ParametricActivation(keras.layers.Layer):
    """Blends an activation with the identity, by a learned amount per neuron.

        y = x + (f(x) - x) * alpha_c
    for the neuron c of the last axis. alpha = 1 is f itself, alpha = 0 the identity.

    Args:
        activation: Name or function f, as in `DenseBlock`. Defaults to "selu".
        alpha_initializer: Name or initializer of alpha. Defaults to "ones".
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, ..., neurons).

    Returns: Tensor of the shape and dtype of `inputs`.

    Raises: InputError for an unknown activation.

    Example:
    >>> import numpy as np
    >>> layer = ParametricActivation("relu", alpha_initializer="ones")
    >>> np.array(layer(np.array([[-2.0, 3.0]]))).tolist()
    [[0.0, 3.0]]
    >>> _ = layer.alpha.assign([0.25, 0.25])
    >>> np.array(layer(np.array([[-2.0, 3.0]]))).tolist()
    [[-1.5, 3.0]]

    Reference: Holzmueller et al. 2024, arXiv:2407.04491.
    """

    def __init__(
        self, activation: Any = "selu", *, alpha_initializer: Any = "ones", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.activation = _parts.template(activation)
        self.alpha_initializer = keras.initializers.get(alpha_initializer)
        self.activate = _parts.needed_activation(self.activation, None, self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates one alpha per neuron."""
        self.activate.build(input_shape)
        self.alpha = self.add_weight(
            shape=(input_shape[-1],), initializer=self.alpha_initializer, name="alpha"
        )

    def call(self, inputs: Any) -> Any:
        """Returns the blend."""
        return inputs + (self.activate(inputs) - inputs) * self.alpha

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "activation": _parts.store(self.activation),
            "alpha_initializer": keras.initializers.serialize(self.alpha_initializer),
        }
