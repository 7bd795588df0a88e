"""HashDropout."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes._checks import check_int, check_number, fail
from kerasrecipes._export import export

# Torch has no 32-bit unsigned integers: Keras gives it 64 bits, of which the low 32 are taken.
_WIDE = keras.backend.backend() == "torch"
# Random odd numbers for seeds, steps and rows. The least u, v with u * S + v * T = 0 modulo 2^32
# have 15 bits, and so for each other pair, also with the stride between the seeds of replicas.
_SEED, _STEP, _ROW = np.array(
    [[0xB9D1F4A7, 0x5E3C7A1D], [0x8C6E2F93, 0xE7154BCB], [0x6A09D3C5, 0xC3F1875F]], "uint32"
).reshape(3, 2, 1, 1)
_SIZES = "None or a sequence of sizes, each None or an integer >= 1"


@export("layers")
class HashDropout(keras.layers.Dropout):
    """Dropout whose masks are a hash of the seed, the step, the row and the column.

    With seed s, step t, rate p and all integers modulo 2^32, for column j of row i:
        a_i, b_i = h(s * S_k + t * T_k + i * R_k),  k = 1, 2
        z_ij = a_i * h(j) + b_i
        m_ij = 1 if z_ij * (z_ij + 1) >= p * 2^32, else 0
        training:   y_ij = x_ij * m_ij / (1 - p)
        inference:  y = x
    Columns are the last axis, rows all others; h is a bijection that mixes all bits, and S, T and R
    are odd constants. An element takes a few multiplications and sums, whatever the backend;
    Keras's generators take rounds, which XLA makes slower on a CPU than the network itself. One
    state gives one mask on every backend, compiled or not. The state is that of a
    `keras.random.SeedGenerator`: s and t, one more after each call in training.

    Good for dropout, and not for secrets. It is a `keras.layers.Dropout`, and may stand where one
    does.

    Args:
        rate: Probability p of dropping, float in [0, 1), exact to 2^-32.
        noise_shape: Shape of the mask: 1 for an axis along which it is the same, None for one that
            is as long as the inputs'. Defaults to None, the shape of the inputs.
        seed: Integer for reproducible masks, of which 32 bits count, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor of any shape.
        training: Whether to drop.

    Returns: Tensor of the shape and dtype of `inputs`.

    Raises: InputError if `rate` is outside [0, 1), or `noise_shape` does not fit the inputs.

    Example:
    >>> import numpy as np
    >>> layer = HashDropout(0.5, seed=0)
    >>> for _ in range(2):
    ...     print(np.array(layer(np.ones(8), training=True)).tolist())
    []

    Reference: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (hashed counters).
    h is the hash "16 21f0aaad 15 d35a2d97 15" of Wellons's hash-prospector; the last product, whose
    high bits depend on all bits of z, is like that of Rivest et al. 1998, "The RC6 block cipher".
    """

    def __init__(
        self, rate: float, *, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        rate = check_number("rate", rate, low=0, high=1, open_high=True)
        seed = None if seed is None else check_int("seed", seed)
        super().__init__(rate, noise_shape=_sizes(noise_shape), seed=seed, **kwargs)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns `inputs`, in training some of them dropped and the others scaled."""
        if not training or self.rate == 0:
            return inputs
        kept = self._kept(_mask_shape(self.noise_shape, inputs))
        return inputs * (ops.cast(kept, inputs.dtype) * (1 / (1 - self.rate)))

    def _kept(self, shape: tuple[Any, ...]) -> Any:
        """Returns which elements of a mask of `shape` stay in this step, and goes to the next."""
        *outer, size = shape or (1,)
        seed, step = ops.unstack(ops.cast(self.seed_generator.next(), "uint32"), 2)
        rows = ops.reshape(_count(math.prod(outer)), (1, -1, 1))
        # Operators, since `ops.add` takes a column for a bias where the last axis is as long.
        keys = seed * _word(_SEED) + step * _word(_STEP) + rows * _word(_ROW)
        slope, offset = ops.unstack(_hash(keys, ops), 2)
        z = slope * _column_words(size) + offset
        z = _low(z * (z + _word(np.uint32(1))))  # even numbers, each from two z
        threshold = min(round(self.rate * 2**32), 2**32 - 2)
        kept = z >= _word(np.uint32(threshold))
        return kept if len(shape) == 2 else ops.reshape(kept, shape)


def _column_words(size: Any) -> Any:
    if isinstance(size, int):
        return _word(_hash(np.arange(size, dtype="uint32"), np))
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


def _word(value: Any) -> Any:
    return ops.convert_to_tensor(value, "uint32")


def _low(x: Any) -> Any:
    """Returns the low 32 bits."""
    wide = _WIDE and not isinstance(x, np.ndarray)
    return ops.bitwise_and(x, 0xFFFFFFFF) if wide else x


def _sizes(noise_shape: Any) -> tuple[int | None, ...] | None:
    """Returns a noise shape as a tuple, or None."""
    if noise_shape is None:
        return None
    if not isinstance(noise_shape, (tuple, list)):
        fail("noise_shape", _SIZES, noise_shape)
    if not all(size is None or (type(size) is int and size >= 1) for size in noise_shape):
        fail("noise_shape", _SIZES, noise_shape)
    return tuple(noise_shape)


def _mask_shape(noise_shape: Any, inputs: Any) -> tuple[Any, ...]:
    shape = tuple(ops.shape(inputs))
    if noise_shape is None:
        return shape
    static = tuple(inputs.shape)
    if len(noise_shape) != len(static) or not all(
        size in (None, 1) or length in (None, size)
        for size, length in zip(noise_shape, static, strict=True)
    ):
        expected = f"None, 1 or the length of each axis of the inputs, of shape {static}"
        fail("noise_shape", expected, noise_shape)
    return tuple(n if size is None else size for size, n in zip(noise_shape, shape, strict=True))
