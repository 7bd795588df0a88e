"""What the recipes for sequences share: their input and its padding."""

from typing import Any

import keras

from kerasrecipes._checks import check_number, fail
from kerasrecipes.recipes._compile import check_input_shape
from kerasrecipes.recipes._start import Start, check_preprocessing

SHAPE_REMEDY = "Give (steps, channels), (steps,) for one channel, or None for steps of any number."


def start(input_shape: Any, mask_value: float | None, preprocessing: Any) -> Start:
    """Returns the input and the sequence that it stands for.

    Shapes: (steps,) is one channel, and axes beyond the second are channels too. Without padding
    the preprocessing sees the rows as they come, else the masked sequence.
    """
    shape = sequence_shape(input_shape)
    check_preprocessing(preprocessing)
    inputs = keras.Input(shape, name="inputs")
    if mask_value is None:
        return Start(inputs, _as_sequence(_applied(preprocessing, inputs)))
    value = check_number("mask_value", mask_value)
    masked = keras.layers.Masking(value, name="mask")(_as_sequence(inputs))
    return Start(inputs, _applied(preprocessing, masked))


def sequence_shape(input_shape: Any) -> tuple[int | None, ...]:
    """Returns the shape of one example as a tuple; the first entry may be None."""
    if isinstance(input_shape, (tuple, list)) and input_shape and input_shape[0] is None:
        if len(input_shape) < 2:
            fail("input_shape", "(None, channels)", input_shape, SHAPE_REMEDY)
        return (None, *check_input_shape(input_shape[1:]))
    shape = check_input_shape(input_shape)
    if not shape:
        fail("input_shape", "(steps, channels)", input_shape, SHAPE_REMEDY)
    return shape


def _applied(preprocessing: Any, x: Any) -> Any:
    return x if preprocessing is None else preprocessing(x)


def _as_sequence(x: Any) -> Any:
    steps, *rest = x.shape[1:]
    if len(rest) == 1:
        return x
    channels = 1
    for size in rest:
        channels *= size
    steps = -1 if steps is None else steps
    return keras.layers.Reshape((steps, channels), name="sequence")(x)
