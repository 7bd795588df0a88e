"""NTKDense."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes._checks import InputError, check_int
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers._table import check_table


@export("layers")
class NTKDense(keras.layers.Layer):
    """A dense layer in the parametrisation of the neural tangent kernel, started from data.

    For an input of width D:
        y = x W / sqrt(D) + b
    W starts as N(0, 1) and b as zeros. `adapt(x)` then starts both from training rows: each column
    of W is divided by the standard deviation of its output, and
        b_u = -sum_(i=1...5) w_i z_iu,  w_i = e_i / sum(e),  e_i ~ Exp(1)
    over 5 random outputs z_i, anew for each unit u ("he+5"), so that every unit bends somewhere
    within the data.

    Args:
        units: Width of the output, int >= 1.
        seed: Integer for reproducible weights, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, D).

    Returns: Tensor (batch, units).

    Raises: InputError if `units` is not a positive integer or the input has another rank.

    Example:
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(5.0, 2.0, (500, 8)).astype("float32")
    >>> layer = NTKDense(16, seed=0)
    >>> layer.adapt(x)
    >>> np.array(layer(x)).std(axis=0).round(3)[:3].tolist()
    [1.0, 1.0, 1.0]

    Reference: Jacot et al. 2018, arXiv:1806.07572; Holzmueller et al. 2024, arXiv:2407.04491.
    """

    points = 5

    def __init__(self, units: int, *, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = check_int("units", units, low=1)
        self.seed = None if seed is None else check_int("seed", seed)

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates kernel and bias."""
        check_table(self, input_shape)
        normal = keras.initializers.RandomNormal(0.0, 1.0, seed=child_seed(self.seed, "kernel"))
        self.kernel = self.add_weight(
            shape=(input_shape[1], self.units), initializer=normal, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def adapt(self, data: Any) -> None:
        """Starts kernel and bias from training rows; a unit whose output is constant keeps its own.

        Args:
            data: What the layer takes in for training rows, array-like (rows, D).

        Raises: InputError for another shape, or values that are not finite.
        """
        x = np.asarray(data, "float64")
        if not self.built:
            self.build((None, *x.shape[1:]))
        kernel = np.asarray(ops.convert_to_numpy(self.kernel), "float64")
        if x.ndim != 2 or x.shape[1] != len(kernel) or not len(x) or not np.isfinite(x).all():
            raise InputError(
                f"`data` must be finite numbers (rows, {len(kernel)}) with at least one row. "
                f"Received: shape {x.shape}."
            )
        z = x @ kernel / np.sqrt(len(kernel))
        deviation = z.std(axis=0)
        deviation = np.where(deviation > 1e-6 * np.abs(z).max(axis=0, initial=1e-30), deviation, 1)
        random = np.random.default_rng(child_seed(self.seed, "bias"))
        chosen = random.integers(len(x), size=(self.points, self.units))
        weights = random.exponential(size=chosen.shape)
        weights /= weights.sum(axis=0)
        picked = np.take_along_axis(z / deviation, chosen, axis=0)
        self.kernel.assign((kernel / deviation).astype("float32"))
        self.bias.assign(-(weights * picked).sum(axis=0).astype("float32"))

    def call(self, inputs: Any) -> Any:
        """Returns the linear map."""
        scale = 1 / np.sqrt(self.kernel.shape[0]).item()
        return ops.matmul(inputs * scale, self.kernel) + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, units)."""
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "units": self.units, "seed": self.seed}
