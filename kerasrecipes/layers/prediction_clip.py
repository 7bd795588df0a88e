"""PredictionClip."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes._checks import fail
from kerasrecipes._export import export


@export("layers")
class PredictionClip(keras.layers.Layer):
    """Cuts predictions off at the range of the training labels; in training it does nothing.

    Args:
        low: Smallest label, a number, or one for each unit.
        high: Largest label, a number, or one for each unit.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, ..., units).
        training: Whether to return the inputs as they are, so that gradients never vanish.

    Returns: Tensor of the shape of `inputs`.

    Raises: InputError if `low` exceeds `high`.

    Example:
    >>> import numpy as np
    >>> layer = PredictionClip(0.0, 1.0)
    >>> np.array(layer(np.array([[-0.5], [0.5], [2.0]]))).ravel().tolist()
    [0.0, 0.5, 1.0]

    Reference: Holzmueller et al. 2024, arXiv:2407.04491.
    """

    def __init__(self, low: Any, high: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high = np.asarray(low, "float64"), np.asarray(high, "float64")
        if self.low.shape != self.high.shape or not (self.low <= self.high).all():
            fail("low", "numbers of at most `high`", (low, high))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the clipped inputs."""
        if training:
            return inputs
        low, high = (ops.cast(each, inputs.dtype) for each in (self.low, self.high))
        return ops.minimum(ops.maximum(inputs, low), high)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "low": self.low.tolist(), "high": self.high.tolist()}
