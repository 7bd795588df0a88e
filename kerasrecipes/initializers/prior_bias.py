"""PriorBias."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np

from kerasrecipes._checks import InputError, check_choice, check_int, fail
from kerasrecipes._export import export

ACTIVATIONS = ("sigmoid", "softmax")


@export("initializers")
class PriorBias(keras.initializers.Initializer):
    """Starts the biases of an output layer so that it predicts how frequent the classes are.

        sigmoid (binary, multi-label):  b_c = log(p_c / (1 - p_c))
        softmax (multi-class):          b_c = log(p_c)
    for class c of probability p_c. The first loss of a model whose other outputs are small is
    then the entropy of the classes, and training does not begin by learning their frequencies.

    Args:
        probabilities: One probability in (0, 1) per output unit; a single number serves all
            units. Those of a softmax add up to 1.
        activation: "sigmoid" or "softmax", what follows the biases.

    Call arguments:
        shape: Shape of the biases, (units,).
        dtype: Their dtype. Defaults to Keras's float type.

    Returns: Tensor of that shape and dtype.

    Raises: InputError for a probability outside (0, 1), those of a softmax that do not add up to
        1, and biases of another number.

    Example:
    >>> import numpy as np
    >>> np.array(PriorBias([0.7, 0.2, 0.1], "softmax")((3,)), "float64").round(4).tolist()
    [-0.3567, -1.6094, -2.3026]
    >>> round(float(PriorBias(0.2, "sigmoid")((1,))[0]), 4)
    -1.3863

    Reference: Lin et al. 2017, arXiv:1708.02002, section 4.1.
    """

    def __init__(self, probabilities: float | Sequence[float], activation: str) -> None:
        self.activation = check_choice("activation", activation, ACTIVATIONS)
        self.probabilities = _as_list(probabilities)
        values = np.array(self.probabilities)
        if not ((values > 0) & (values < 1)).all():
            remedy = "`PriorBias.from_counts` keeps classes without examples away from 0."
            fail("probabilities", "numbers in (0, 1)", probabilities, remedy)
        if activation == "softmax" and not abs(values.sum() - 1) < 1e-4:
            fail("probabilities", "numbers that add up to 1, for a softmax", probabilities)

    @classmethod
    def from_counts(cls, counts: Sequence[int], *, examples: int | None = None) -> Self:
        """Returns the initializer for class frequencies, half a count added to each.

        Args:
            counts: Examples of each class, ints >= 0.
            examples: None if each example has one class (softmax); else how many examples there
                are, of which `counts` have each label (sigmoid).

        Returns: A `PriorBias`.

        Example:
        >>> PriorBias.from_counts([98, 0], examples=98).probabilities
        [0.994949..., 0.005050...]
        """
        counted = np.array([check_int("counts", count, low=0) for count in counts], "float64")
        if examples is None:
            smooth = counted + 0.5
            return cls((smooth / smooth.sum()).tolist(), "softmax")
        check_int("examples", examples, low=max(1, int(counted.max(initial=0))))
        return cls(((counted + 0.5) / (examples + 1)).tolist(), "sigmoid")

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Returns the biases."""
        p = np.array(self.probabilities, "float64")
        biases = np.log(p) if self.activation == "softmax" else np.log(p) - np.log1p(-p)
        if tuple(shape) != biases.shape and biases.shape != (1,):
            raise InputError(
                f"`probabilities` must hold one number per output unit. Received: {len(p)} for "
                f"biases of shape {tuple(shape)}."
            )
        return keras.ops.convert_to_tensor(
            np.broadcast_to(biases, tuple(shape)), dtype=_float(dtype)
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"probabilities": list(self.probabilities), "activation": self.activation}


def _as_list(probabilities: Any) -> list[float]:
    try:
        values = np.array(probabilities, "float64")
    except (TypeError, ValueError):
        values = np.array([])
    if values.ndim > 1 or values.size == 0:
        fail("probabilities", "a number or a sequence of numbers", probabilities)
    return [float(value) for value in np.atleast_1d(values)]


def _float(dtype: Any) -> str:
    return keras.backend.standardize_dtype(dtype or keras.config.floatx())
