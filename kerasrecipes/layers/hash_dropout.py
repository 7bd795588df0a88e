"""HashDropout."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes._checks import check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.layers._counter_hash import hashes, word

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
        rate: Probability p of dropping, float in [0, 1), met to within 2^-31.
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
    >>> layer = HashDropout(0.5, seed=1)
    >>> for _ in range(2):
    ...     print(np.array(layer(np.ones(8), training=True)).tolist())
    [2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    [2.0, 2.0, 2.0, 0.0, 0.0, 2.0, 2.0, 0.0]

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
        threshold = word(np.uint32(min(round(self.rate * 2**32), 2**32 - 2)))
        kept = self.hashes(inputs) >= threshold
        return inputs * (ops.cast(kept, inputs.dtype) * (1 / (1 - self.rate)))

    def hashes(self, inputs: Any) -> Any:
        """Returns what decides over each element of `inputs` in this step, and goes to the next.

        Those stay whose z (z + 1) is at least `rate * 2**32`, unsigned integers of the shape of
        the mask.
        """
        return hashes(self.seed_generator, _mask_shape(self.noise_shape, inputs))


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
