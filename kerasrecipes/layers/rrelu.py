"""RReLU."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import check_int, check_number
from kerasrecipes._export import export


@export("layers")
class RReLU(keras.layers.Layer):
    """Leaky ReLU with a random slope in training, its mean in inference.

        training:   y = x if x >= 0 else a * x,  a ~ U(lower, upper) for every element
        inference:  y = x if x >= 0 else (lower + upper) / 2 * x
    The random slope regularises, which helps small data sets most. The paper draws 1/a from
    U(3, 8); the defaults here give the same range of slopes, drawn evenly.

    Args:
        lower: Smallest slope, float >= 0. Defaults to 1/8.
        upper: Largest slope, float >= `lower`. Defaults to 1/3.
        seed: Integer for reproducible slopes, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor of any shape.
        training: Whether to draw slopes.

    Returns: Tensor of the shape and dtype of `inputs`.

    Raises: InputError if a slope is negative or `upper` is below `lower`.

    Example:
    >>> import numpy as np
    >>> y = RReLU(0.1, 0.3)(np.array([-10.0, 5.0]))
    >>> np.array(y).round(4).tolist()
    [-2.0, 5.0]

    Reference: Xu et al. 2015, arXiv:1505.00853.
    """

    def __init__(
        self,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        *,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lower = check_number("lower", lower, low=0)
        self.upper = check_number("upper", upper, low=self.lower)
        self.seed = None if seed is None else check_int("seed", seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns `inputs` with its negative part multiplied by the slope."""
        slope = (self.lower + self.upper) / 2
        if training:
            slope = keras.random.uniform(
                ops.shape(inputs), self.lower, self.upper, dtype="float32", seed=self.seed_generator
            )
            slope = ops.cast(slope, inputs.dtype)
        return ops.where(inputs >= 0, inputs, slope * inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "lower": self.lower,
            "upper": self.upper,
            "seed": self.seed,
        }
