"""Random numbers that are a hash of a seed, a step and a place."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

# Torch has no 32-bit unsigned integers: Keras gives it 64 bits, of which the low 32 are taken.
_WIDE = keras.backend.backend() == "torch"
# Random odd numbers for seeds, steps and rows. The shortest (u, v) with u * S + v * T = 0 modulo
# 2^32 has a length near 2^15, as of each other pair, also with the stride of replicas' seeds.
_SEED, _STEP, _ROW = np.array(
    [[0xB9D1F4A7, 0x5E3C7A1D], [0x8C6E2F93, 0xE7154BCB], [0x6A09D3C5, 0xC3F1875F]], "uint32"
).reshape(3, 2, 1, 1)


def hashes(generator: keras.random.SeedGenerator, shape: tuple[Any, ...]) -> Any:
    """Returns even random numbers below 2^32 of a shape, and lets the generator go on.

    See `HashDropout` for what they are.

    Args:
        generator: Holds the seed and the step.
        shape: Sizes, integers or scalar tensors.
    """
    *outer, size = shape or (1,)
    seed, step = ops.unstack(ops.cast(generator.next(), "uint32"), 2)
    rows = ops.reshape(_count(math.prod(outer)), (1, -1, 1))
    # Operators, since `ops.add` takes a column for a bias where the last axis is as long.
    keys = seed * word(_SEED) + step * word(_STEP) + rows * word(_ROW)
    slope, offset = ops.unstack(_hash(keys, ops), 2)
    z = slope * _column_words(size) + offset
    z = _low(z * (z + word(np.uint32(1))))  # even numbers, each from two z
    return z if len(shape) == 2 else ops.reshape(z, shape)


def word(value: Any) -> Any:
    """Returns a tensor of 32-bit words."""
    return ops.convert_to_tensor(value, "uint32")


def _column_words(size: Any) -> Any:
    if isinstance(size, int):
        return word(_hash(np.arange(size, dtype="uint32"), np))
    return _hash(_count(size), ops)


def _hash(x: Any, on: Any) -> Any:
    """Returns h(x) by the functions of `on`: NumPy, for a constant, or `keras.ops`."""
    x = _low(x)
    x = on.bitwise_xor(x, on.right_shift(x, 16))
    x = _low(on.multiply(x, np.uint32(0x21F0AAAD)))
    x = on.bitwise_xor(x, on.right_shift(x, 15))
    x = _low(on.multiply(x, np.uint32(0xD35A2D97)))
    return on.bitwise_xor(x, on.right_shift(x, 15))


def _count(size: Any) -> Any:
    # By int32, since TensorFlow counts in uint32 through float32.
    return ops.cast(ops.arange(size, dtype="int32"), "uint32")


def _low(x: Any) -> Any:
    """Returns the low 32 bits."""
    wide = _WIDE and not isinstance(x, np.ndarray)
    return ops.bitwise_and(x, 0xFFFFFFFF) if wide else x
