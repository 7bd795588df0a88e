"""The randomized leaky ReLU, in the form that inference uses."""

from typing import Any

from keras import ops

from kerasrecipes._checks import check_number
from kerasrecipes._export import export


@export("activations")
def rrelu(x: Any, lower: float = 1 / 8, upper: float = 1 / 3) -> Any:
    """Returns the randomized leaky ReLU at its mean slope.

        y = x               for x >= 0
        y = (l + u) / 2 * x for x < 0
    Training draws each slope from U(l, u); the layer `kerasrecipes.layers.RReLU` does that, and
    this in inference.

    Args:
        x: Tensor of any shape.
        lower: Smallest slope l, float >= 0. Defaults to 1/8.
        upper: Largest slope u, float >= lower. Defaults to 1/3.

    Returns: Tensor of the shape and dtype of `x`.

    Raises: InputError if `lower` is negative or `upper` is below it.

    Example:
    >>> import numpy as np
    >>> np.array(rrelu(np.array([-4.0, 2.0]), 0.25, 0.75)).tolist()
    [-2.0, 2.0]

    Reference: Xu et al. 2015, arXiv:1505.00853.
    """
    check_number("lower", lower, low=0)
    check_number("upper", upper, low=lower)
    return ops.leaky_relu(x, negative_slope=(lower + upper) / 2)
