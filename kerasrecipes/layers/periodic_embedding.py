"""PeriodicEmbedding."""

import math
from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import check_int, check_number
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers._table import check_table, even


@export("layers")
class PeriodicEmbedding(keras.layers.Layer):
    """Embeds each number of a table by learned waves and a small linear map (PBLD).

    For feature f with value x, k waves, and everything learned per feature:
        p = cos(2 pi w_f x + b_f)             w_f, b_f of length k
        y = concatenate(x, p U_f + c_f)       U_f of shape (k, units)
    w ~ N(0, frequency_scale^2), b ~ U(-pi, pi), U and c ~ U(-1/sqrt(k), 1/sqrt(k)).
    Features should be on one scale, about [-3, 3]. Add a `Flatten` before a dense layer.

    Args:
        units: Outputs of the linear map per feature, int >= 1. Defaults to 3.
        frequencies: Waves per feature, k, int >= 1. Defaults to 16.
        frequency_scale: Standard deviation of w at the start, float > 0; larger lets the network
            fit faster changes. Defaults to 0.1.
        append_input: Whether x itself comes first in the output. Defaults to True.
        seed: Integer for reproducible weights, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, features).

    Returns: Tensor (batch, features, units + 1), or (batch, features, units) without the input.

    Raises: InputError for an argument outside the above, and an input of another rank.

    Example:
    >>> import numpy as np
    >>> y = PeriodicEmbedding(seed=0)(np.array([[1.0, 2.0, 3.0]]))
    >>> tuple(y.shape), np.array(y)[0, :, 0].tolist()
    ((1, 3, 4), [1.0, 2.0, 3.0])

    Reference: Holzmueller et al. 2024, arXiv:2407.04491; Gorishniy et al. 2022,
    arXiv:2203.05556.
    """

    def __init__(
        self,
        units: int = 3,
        frequencies: int = 16,
        *,
        frequency_scale: float = 0.1,
        append_input: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_int("units", units, low=1)
        self.frequencies = check_int("frequencies", frequencies, low=1)
        self.frequency_scale = check_number(
            "frequency_scale", frequency_scale, low=0, open_low=True
        )
        self.append_input = bool(append_input)
        self.seed = None if seed is None else check_int("seed", seed)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates waves and linear maps, one set per feature."""
        check_table(self, input_shape)
        features, k = input_shape[1], self.frequencies
        frequency = keras.initializers.RandomNormal(
            0.0, self.frequency_scale, seed=child_seed(self.seed, "frequency")
        )
        self.frequency = self.add_weight(
            shape=(features, k), initializer=frequency, name="frequency", autocast=False
        )
        self.phase = self.add_weight(
            shape=(features, k),
            initializer=even(math.pi, child_seed(self.seed, "phase")),
            name="phase",
            autocast=False,
        )
        self.kernel = self.add_weight(
            shape=(features, k, self.units),
            initializer=even(1 / math.sqrt(k), child_seed(self.seed, "kernel")),
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(features, self.units),
            initializer=even(1 / math.sqrt(k), child_seed(self.seed, "bias")),
            name="bias",
        )

    def call(self, inputs: Any) -> Any:
        """Returns the embedded features."""
        x = ops.expand_dims(inputs, -1)
        # Float16 cannot hold the phase of a wave.
        angle = 2 * math.pi * self.frequency * ops.cast(x, self.frequency.dtype) + self.phase
        waves = ops.cast(ops.cos(angle), inputs.dtype)
        y = ops.einsum("bfk,fku->bfu", waves, self.kernel) + self.bias
        return ops.concatenate([x, y], axis=-1) if self.append_input else y

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, features, outputs per feature)."""
        return (*input_shape, self.units + self.append_input)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "units": self.units,
            "frequencies": self.frequencies,
            "frequency_scale": self.frequency_scale,
            "append_input": self.append_input,
            "seed": self.seed,
        }
