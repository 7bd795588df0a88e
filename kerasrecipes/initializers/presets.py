"""The classical initializers, by the name of their authors, in each distribution."""

import math
from typing import Any

import keras

from kerasrecipes._checks import check_choice, check_int, check_number
from kerasrecipes._export import export

DISTRIBUTIONS = ("normal", "uniform", "untruncated_normal")


@export("initializers", "xavier", saved=False)
def glorot(distribution: str = "normal", *, seed: Any = None) -> keras.initializers.Initializer:
    """Returns Glorot's (Xavier's) initializer, for tanh, sigmoid, softmax and linear layers.

        Var(W) = 2 / (n_in + n_out)
    so uniform within +-sqrt(6 / (n_in + n_out)).

    Args:
        distribution: "normal" is Keras's: cut off at 2.27 standard deviations, with the variance
            above nonetheless; "untruncated_normal" or "uniform". Defaults to "normal".
        seed: Integer, `keras.random.SeedGenerator` or None. Defaults to None.

    Returns: A stock Keras initializer.

    Raises: InputError for an unknown distribution.

    Example:
    >>> glorot("uniform").__class__.__name__
    'GlorotUniform'

    Reference: Glorot & Bengio 2010, AISTATS.
    """
    stock = {"normal": keras.initializers.GlorotNormal, "uniform": keras.initializers.GlorotUniform}
    return _make(stock, distribution, 1.0, "fan_avg", seed)


@export("initializers", "kaiming", saved=False)
def he(
    distribution: str = "normal", *, slope: float = 0.0, seed: Any = None
) -> keras.initializers.Initializer:
    """Returns He's (Kaiming's) initializer, for ReLU and its kind.

        Var(W) = 2 / (1 + a^2) / n_in
    so uniform within +-sqrt(6 / (1 + a^2) / n_in), for negative slope a.

    Args:
        distribution: "normal" is Keras's: cut off at 2.27 standard deviations, with the variance
            above nonetheless; "untruncated_normal" or "uniform". Defaults to "normal".
        slope: Negative slope a of the activation, float >= 0. Defaults to 0.0.
        seed: Integer, `keras.random.SeedGenerator` or None. Defaults to None.

    Returns: A stock Keras initializer.

    Raises: InputError for an unknown distribution or a negative slope.

    Example:
    >>> he().__class__.__name__
    'HeNormal'
    >>> he(slope=0.5).scale
    1.6

    Reference: He et al. 2015, arXiv:1502.01852.
    """
    slope = check_number("slope", slope, low=0.0)
    stock = {"normal": keras.initializers.HeNormal, "uniform": keras.initializers.HeUniform}
    return _make({} if slope else stock, distribution, 2 / (1 + slope**2), "fan_in", seed)


@export("initializers", saved=False)
def lecun(distribution: str = "normal", *, seed: Any = None) -> keras.initializers.Initializer:
    """Returns LeCun's initializer, for SELU and ELU.

        Var(W) = 1 / n_in
    so uniform within +-sqrt(3 / n_in).

    Args:
        distribution: "normal" is Keras's: cut off at 2.27 standard deviations, with the variance
            above nonetheless; "untruncated_normal" or "uniform". Defaults to "normal".
        seed: Integer, `keras.random.SeedGenerator` or None. Defaults to None.

    Returns: A stock Keras initializer.

    Raises: InputError for an unknown distribution.

    Example:
    >>> lecun().__class__.__name__
    'LecunNormal'

    Reference: LeCun et al. 1998, Efficient BackProp; Klambauer et al. 2017, arXiv:1706.02515.
    """
    stock = {"normal": keras.initializers.LecunNormal, "uniform": keras.initializers.LecunUniform}
    return _make(stock, distribution, 1.0, "fan_in", seed)


@export("initializers", saved=False)
def pytorch(*, seed: Any = None) -> keras.initializers.Initializer:
    """Returns what PyTorch gives to the kernels of linear and convolutional layers.

        W ~ U(-sqrt(1 / n_in), sqrt(1 / n_in))
    of variance 1 / (3 n_in), which shrinks signals from layer to layer unless something
    normalises them. Its biases are another matter: see `pytorch_bias`.

    Args:
        seed: Integer, `keras.random.SeedGenerator` or None. Defaults to None.

    Returns: A stock Keras initializer.

    Example:
    >>> import numpy as np
    >>> kernel = np.array(pytorch(seed=0)((25, 1000)))
    >>> bool(kernel.max() <= 0.2), round(float(kernel.std() * np.sqrt(3)), 2)
    (True, 0.2)

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """
    return keras.initializers.VarianceScaling(
        1 / 3, mode="fan_in", distribution="uniform", seed=seed
    )


@export("initializers", saved=False)
def pytorch_bias(fan_in: int, *, seed: Any = None) -> keras.initializers.Initializer:
    """Returns what PyTorch gives to the biases of linear and convolutional layers.

        b ~ U(-sqrt(1 / n_in), sqrt(1 / n_in))
    An initializer sees the shape of the bias only, so n_in has to be given.

    Args:
        fan_in: Inputs n_in that one unit sums over, int >= 1: the width of the input of a dense
            layer, kernel size times input channels of a convolution.
        seed: Integer, `keras.random.SeedGenerator` or None. Defaults to None.

    Returns: A stock Keras initializer.

    Raises: InputError if `fan_in` is not a positive integer.

    Example:
    >>> pytorch_bias(25).maxval
    0.2

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """
    limit = math.sqrt(1 / check_int("fan_in", fan_in, low=1))
    return keras.initializers.RandomUniform(-limit, limit, seed=seed)


@export("initializers", saved=False)
def output(stddev: float = 0.1, *, seed: Any = None) -> keras.initializers.Initializer:
    """Returns the initializer N(0, stddev) for output layers, whatever their width.

    Args:
        stddev: Standard deviation, float > 0. Defaults to 0.1.
        seed: Integer, `keras.random.SeedGenerator` or None. Defaults to None.

    Returns: A stock Keras initializer.

    Raises: InputError if `stddev` is not positive.

    Example:
    >>> output().stddev
    0.1
    """
    check_number("stddev", stddev, low=0.0, open_low=True)
    return keras.initializers.RandomNormal(0.0, stddev, seed=seed)


def _make(
    stock: dict[str, Any], distribution: str, scale: float, mode: str, seed: Any
) -> keras.initializers.Initializer:
    """Returns Keras's own class for it if there is one, else `VarianceScaling`."""
    check_choice("distribution", distribution, DISTRIBUTIONS)
    if distribution in stock:
        return stock[distribution](seed=seed)
    name = "truncated_normal" if distribution == "normal" else distribution
    return keras.initializers.VarianceScaling(scale, mode=mode, distribution=name, seed=seed)
