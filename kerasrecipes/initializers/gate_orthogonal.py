"""GateOrthogonal."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed


@export("initializers")
class GateOrthogonal(keras.initializers.Orthogonal):
    """An orthogonal matrix for each gate of a recurrent kernel.

    The recurrent kernel of a GRU holds three square matrices side by side, that of an LSTM four.
    `keras.initializers.Orthogonal` makes the rows of the whole orthonormal, so that each gate
    alone shrinks a state of n units to about 1 / sqrt(gates) of its length. Here each gate has
        W_g = gain * Q_g,  Q_g^T Q_g = I
    and keeps the length of the state, which is what orthogonal kernels are for.

    Args:
        gain: Factor on each matrix. Defaults to 1.0.
        seed: Integer, `keras.random.SeedGenerator` or None. Defaults to None.

    Call arguments:
        shape: Shape of the kernel, (units, gates * units).
        dtype: Its dtype. Defaults to Keras's float type.

    Returns: Tensor of that shape and dtype.

    Raises: InputError for a shape that is not square matrices side by side.

    Example:
    >>> import numpy as np
    >>> kernel = np.array(GateOrthogonal(seed=0)((4, 12)), "float64")
    >>> [bool(np.allclose(q.T @ q, np.eye(4), atol=1e-6)) for q in np.split(kernel, 3, axis=1)]
    [True, True, True]

    Reference: Saxe et al. 2014, arXiv:1312.6120.
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Returns the kernel."""
        if len(shape) != 2 or shape[1] % shape[0]:
            raise InputError(
                "GateOrthogonal needs a kernel (units, gates * units). "
                f"Received: shape {tuple(shape)}."
            )
        units = shape[0]
        return ops.concatenate(
            [
                keras.initializers.Orthogonal(self.gain, seed=self._seed_of(gate))(
                    (units, units), dtype=dtype
                )
                for gate in range(shape[1] // units)
            ],
            axis=1,
        )

    def _seed_of(self, gate: int) -> Any:
        is_number = isinstance(self.seed, int)
        return child_seed(self.seed, "gate", gate) if is_number else self.seed
