"""What the layers on images check alike."""

import numbers
from typing import Any

from kerasrecipes._checks import InputError, fail

FILL_MODES = ("reflect", "constant", "nearest", "wrap")
_RANGE = "two numbers, the lowest and the highest value of a pixel"
_REMEDY = "Give (0, 255) for bytes; (0, 1) or (-1, 1) after rescaling."


def check_value_range(value: Any) -> tuple[float, float]:
    """Returns the lowest and highest value of a pixel as floats."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        fail("value_range", _RANGE, value, _REMEDY)
    if not all(isinstance(v, numbers.Real) and not isinstance(v, bool) for v in value):
        fail("value_range", _RANGE, value, _REMEDY)
    low, high = float(value[0]), float(value[1])
    if not -float("inf") < low < high < float("inf"):
        fail("value_range", _RANGE, value, _REMEDY)
    return low, high


def check_images_shape(shape: Any) -> None:
    """Refuses a shape, batch axis included, that is not one of images with channels."""
    if len(shape) != 4:
        raise InputError(
            "`inputs` must be images of shape (batch, height, width, channels). Received: shape "
            f"{tuple(shape)}. Add the axis of the channels with `x[..., None]`."
        )
