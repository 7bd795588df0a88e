"""StochasticDepth."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import check_int, check_number
from kerasrecipes._export import export


@export("layers")
class StochasticDepth(keras.layers.Layer):
    """Drops the whole residual branch of a sample, at random, in training.

    With rate p, for every sample b of a batch on its own:
        training:   y_b = x_b * m_b / (1 - p),  m_b ~ Bernoulli(1 - p)
        inference:  y = x
    Put it on the branch, before the shortcut is added: `x + StochasticDepth(0.1)(branch(x))`.
    The mean of y over masks is x, so inference needs no rescaling.

    Args:
        rate: Probability of dropping, float in [0, 1).
        seed: Integer for reproducible masks, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, ...) of rank 1 or more.
        training: Whether to drop.

    Returns: Tensor of the shape and dtype of `inputs`.

    Raises: InputError if `rate` is outside [0, 1).

    Example:
    >>> import numpy as np
    >>> y = np.array(StochasticDepth(0.5)(np.ones((40, 3)), training=True))
    >>> sorted(set(map(tuple, y.tolist())))
    [(0.0, 0.0, 0.0), (2.0, 2.0, 2.0)]

    Reference: Huang et al. 2016, arXiv:1603.09382 (with the scaling of inverted dropout).
    """

    def __init__(self, rate: float, *, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = check_number("rate", rate, low=0, high=1, open_high=True)
        self.seed = None if seed is None else check_int("seed", seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns `inputs` with whole samples dropped and the others scaled."""
        if not training or self.rate == 0:
            return inputs
        shape = (ops.shape(inputs)[0],) + (1,) * (len(inputs.shape) - 1)
        return keras.random.dropout(inputs, self.rate, noise_shape=shape, seed=self.seed_generator)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
