"""The initializer that an activation asks for."""

import math
from typing import Any

import keras

from kerasrecipes._checks import check_choice
from kerasrecipes._export import export
from kerasrecipes.activations.facts import facts
from kerasrecipes.initializers.presets import DISTRIBUTIONS, glorot, he, lecun


@export("initializers", saved=False)
def for_activation(
    activation: Any, distribution: str = "normal", *, seed: Any = None
) -> keras.initializers.Initializer:
    """Returns the kernel initializer for a layer that this activation follows.

    With g the gain of the activation, from `kerasrecipes.activations.facts`:
        He      Var(W) = g / n_in,  g = 2 / (1 + a^2)    ReLU and its kind, of slope a
        LeCun   Var(W) = 1 / n_in                        SELU, ELU
        Glorot  Var(W) = 2 / (n_in + n_out)              tanh, sigmoid, softmax, linear, others
    The orthogonal kernel is sqrt(g) times a random orthogonal matrix.

    Args:
        activation: Name, dict, function or layer; None for linear.
        distribution: "normal" is Keras's: cut off at 2.27 standard deviations, with the variance
            above nonetheless; "untruncated_normal", "uniform" or "orthogonal". Defaults to
            "normal".
        seed: Integer, `keras.random.SeedGenerator` or None. Two layers of one shape need two
            integers, else their kernels are equal; see `child_seed`. Defaults to None.

    Returns: A stock Keras initializer.

    Raises: InputError for an unknown activation or distribution.

    Example:
    >>> for_activation("relu").__class__.__name__
    'HeNormal'
    >>> for_activation("selu", "uniform").__class__.__name__
    'LecunUniform'
    >>> round(for_activation({"name": "leaky_relu", "negative_slope": 0.1}).scale, 4)
    1.9802

    Reference: Glorot & Bengio 2010, AISTATS; He et al. 2015, arXiv:1502.01852; Saxe et al. 2014,
    arXiv:1312.6120 (orthogonal).
    """
    check_choice("distribution", distribution, [*DISTRIBUTIONS, "orthogonal"])
    wanted = facts(activation)
    if distribution == "orthogonal":
        return keras.initializers.Orthogonal(math.sqrt(wanted.gain), seed=seed)
    if wanted.initializer == "he":
        return he(distribution, slope=wanted.slope, seed=seed)
    return {"lecun": lecun, "glorot": glorot}[wanted.initializer](distribution, seed=seed)
