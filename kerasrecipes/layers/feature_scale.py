"""FeatureScale."""

from typing import Any

import keras

from kerasrecipes._export import export


@export("layers")
class FeatureScale(keras.layers.Layer):
    """Multiplies each input by a learned factor of its own: y = x * g, g = 1 at the start.

    At a higher rate than the rest (`rate_multipliers`) it lets a network choose its inputs.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, ..., features).

    Returns: Tensor of the shape of `inputs`.

    Example:
    >>> import numpy as np
    >>> layer = FeatureScale()
    >>> np.array(layer(np.array([[2.0, 3.0]]))).tolist()
    [[2.0, 3.0]]
    >>> layer.weights[0].name, layer.count_params()
    ('gain', 2)

    Reference: Holzmueller et al. 2024, arXiv:2407.04491.
    """

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates one factor per input."""
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")

    def call(self, inputs: Any) -> Any:
        """Returns the scaled inputs."""
        return inputs * self.gain

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape
