"""RobustScale."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes._checks import InputError, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.layers._kernel import full_precision
from kerasrecipes.layers._table import check_table


@export("layers")
class RobustScale(keras.layers.Layer):
    """Centres and scales the numbers of a table, fills gaps, and bends outliers in.

    For a column with centre m (its median) and scale s (the distance of its quartiles):
        z = (x - m) / s,  y = z / sqrt(1 + (z / clip)^2)
    so y is about z for usual values and never leaves (-clip, clip). A missing value (NaN) becomes
    the median, y = 0, and so does a whole column of scale 0. It computes in float32 at least,
    whatever the dtype policy, since raw values overflow float16.

    Args:
        center: m of each column, finite numbers.
        scale: s of each column, numbers >= 0.
        clip: Bound of the output, float > 0, or None for y = z. Defaults to 3.0.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, columns).

    Returns: Tensor (batch, columns).

    Raises: InputError for an argument outside the above, and an input of another rank or width.

    Example:
    >>> import numpy as np
    >>> layer = RobustScale([10.0], [2.0])
    >>> y = layer(np.array([[10.0], [12.0], [1e6], [np.nan]]))
    >>> [round(float(value), 4) for value in np.array(y).ravel()]
    [0.0, 0.9487, 3.0, 0.0]

    Reference: Holzmueller et al. 2024, arXiv:2407.04491.
    """

    def __init__(
        self,
        center: Sequence[float],
        scale: Sequence[float],
        *,
        clip: float | None = 3.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.center = _numbers("center", center)
        self.scale = _numbers("scale", scale)
        if len(self.scale) != len(self.center) or min(self.scale, default=0) < 0:
            fail("scale", f"{len(self.center)} numbers >= 0, one for each column", scale)
        self.clip = None if clip is None else check_number("clip", clip, low=0, open_low=True)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Checks the input."""
        check_table(self, input_shape)
        if input_shape[1] != len(self.center):
            raise InputError(
                f"RobustScale needs an input of {len(self.center)} columns, as `center` has. "
                f"Received: shape {tuple(input_shape)}."
            )
        # 1 / s in float64 first: a scale of 1e-39 is 0 in float32.
        factors = [1 / s if s > 0 and math.isfinite(1 / s) else 0.0 for s in self.scale]
        self._factor, self._center = np.asarray(factors), np.asarray(self.center)

    def call(self, inputs: Any) -> Any:
        """Returns the scaled columns."""
        x = full_precision(inputs)
        center, factor = (ops.cast(each, x.dtype) for each in (self._center, self._factor))
        z = ops.where(ops.isnan(x), 0.0, x - center) * factor
        if self.clip is not None:
            # Not z / sqrt(1 + z^2), whose square overflows.
            r = ops.minimum(ops.abs(z) / self.clip, 1e15)
            bent = r / ops.sqrt(1 + ops.square(r)) * self.clip
            z = ops.sign(z) * bent
        return ops.cast(z, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "center": self.center,
            "scale": self.scale,
            "clip": self.clip,
        }


def _numbers(argument: str, values: Any) -> list[float]:
    array = np.asarray(values, "float64")
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        fail(argument, "a finite number for each column", values)
    return array.tolist()
