"""EnsembleMean."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError
from kerasrecipes._export import export


@export("layers")
class EnsembleMean(keras.layers.Layer):
    """The mean of the members' predictions; in training the predictions of each member.

    A `kerasrecipes.recipes.TableModel` whose output this is trains on the mean of the members'
    losses, and measures and predicts the mean of their predictions.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, members, units), such as probabilities.
        training: Whether to return the inputs as they are.

    Returns: Tensor (batch, units), or (batch, members, units) in training.

    Raises: InputError for an input of another rank.

    Example:
    >>> import numpy as np
    >>> x = np.array([[[0.25], [0.75]]])
    >>> np.array(EnsembleMean()(x)).tolist()
    [[0.5]]
    >>> tuple(EnsembleMean()(x, training=True).shape)
    (1, 2, 1)

    Reference: Gorishniy et al. 2024, arXiv:2410.24210.
    """

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Checks the input."""
        if len(input_shape) != 3:
            raise InputError(
                "EnsembleMean needs an input (batch, members, units), such as EnsembleHead gives. "
                f"Received: shape {tuple(input_shape)}."
            )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the mean, or in training all."""
        return inputs if training else ops.mean(inputs, axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, units)."""
        return (input_shape[0], input_shape[2])
