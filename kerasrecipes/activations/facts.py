"""What each activation asks of the kernel before it and of the dropout after it."""

import dataclasses
import functools
import math
from typing import Any

import keras
import numpy as np

from kerasrecipes.activations import _names, identify
from kerasrecipes.activations.partial import Partial


@dataclasses.dataclass(frozen=True)
class Facts:
    """What an activation asks of the layer it follows.

    Attributes:
        name: Name of the activation in snake_case.
        initializer: "he" (variance `gain` / n_in), "lecun" (1 / n_in) or "glorot"
            (2 / (n_in + n_out)).
        slope: Slope a of the negative side of a He activation, float >= 0; the root mean square
            where slopes differ or are random. 0 for the others.
        alpha_dropout: Whether dropout after it must be `keras.layers.AlphaDropout`.

    Example:
    >>> Facts("leaky_relu", "he", slope=0.5).gain
    1.6
    """

    name: str
    initializer: str
    slope: float = 0.0
    alpha_dropout: bool = False

    @property
    def gain(self) -> float:
        """Factor of the kernel's variance: 2 / (1 + a^2) for He, 1 for LeCun and Glorot."""
        return 2 / (1 + self.slope**2) if self.initializer == "he" else 1.0


_FAMILIES = {
    # About half of the mean square of a unit normal gets through, hence the 2 of He.
    "he": "relu relu6 leaky_relu prelu rrelu gelu silu hard_silu mish sparse_plus threshold",
    "lecun": "elu selu celu",
    # Odd or bounded ones, and those which let about all of it through (softplus, squareplus).
    "glorot": "linear tanh hard_tanh tanh_shrink softsign soft_shrink hard_shrink sigmoid "
    "hard_sigmoid sparse_sigmoid log_sigmoid softmax log_softmax sparsemax softplus squareplus "
    "exponential glu",
}
_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}


def _mean_square_slope(lower: float, upper: float) -> float:
    """Returns the root of the mean square of U(lower, upper)."""
    return math.sqrt((lower**2 + lower * upper + upper**2) / 3)


_SLOPES = {"leaky_relu": 0.2, "prelu": 0.25, "rrelu": _mean_square_slope(1 / 8, 1 / 3)}
_TABLE = {
    _names.key(name): Facts(name, family, _SLOPES.get(name, 0.0), alpha_dropout=name == "selu")
    for family, members in _FAMILIES.items()
    for name in members.split()
}
_TABLE |= {_names.key(alias): _TABLE[_names.key(name)] for alias, name in _ALIASES.items()}


def facts(identifier: Any) -> Facts:
    """Returns what an activation asks of the initializer before it and the dropout after it.

    | initializer | activations |
    |---|---|
    | He, gain 2 / (1 + a^2) for slope a | relu and its kind: leaky_relu, prelu, rrelu, relu6, \
gelu, silu (swish), hard_silu (hard_swish), mish, sparse_plus, threshold |
    | LeCun | selu (with AlphaDropout), elu, celu |
    | Glorot | linear, tanh, sigmoid, softmax, softplus and the others of Keras |

    The slope is that of the function or layer at hand: 0.2 for `keras.activations.leaky_relu`,
    0.3 for `keras.layers.LeakyReLU()`, the initial one for PReLU, and the root mean square for
    the random slopes of RReLU. An activation that is not in the table gets Glorot, which is what
    Keras gives to every layer.

    Args:
        identifier: Whatever `kerasrecipes.activations.get` takes, and "prelu" and "rrelu", which
            name layers.

    Returns: A `Facts`.

    Raises: InputError for an unknown name.

    Example:
    >>> import keras
    >>> facts("selu")
    Facts(name='selu', initializer='lecun', slope=0.0, alpha_dropout=True)
    >>> round(facts(keras.layers.LeakyReLU(negative_slope=0.2)).gain, 4)
    1.9231

    Reference: Glorot & Bengio 2010 (AISTATS); He et al. 2015, arXiv:1502.01852; Klambauer et al.
    2017, arXiv:1706.02515 (SELU).
    """
    if isinstance(identifier, str) and _names.key(identifier) in _TABLE:
        return _TABLE[_names.key(identifier)]
    if isinstance(identifier, dict) and set(identifier) == {"name"}:
        return facts(identifier["name"])
    activation = identify.get(identifier)
    if isinstance(activation, keras.layers.Layer):
        return _of_layer(activation)
    if isinstance(activation, Partial):
        return _with_slope(facts(activation.function), activation.arguments)
    if isinstance(activation, functools.partial):
        return _with_slope(facts(activation.func), activation.keywords)
    return _named(_names.name_of(activation))


def _named(name: str) -> Facts:
    return _TABLE.get(_names.key(name), Facts(name, "glorot"))


def _of_layer(layer: keras.layers.Layer) -> Facts:
    for kind in type(layer).__mro__:
        if _names.key(kind.__name__) in _TABLE:
            return _with_slope(_named(kind.__name__), vars(layer))
    if hasattr(layer, "activation"):
        return facts(layer.activation)
    return _named(type(layer).__name__)


def _with_slope(found: Facts, values: dict[str, Any]) -> Facts:
    """Returns the facts with the slope that the arguments or attributes give, if any."""
    slope = None
    if "negative_slope" in values:
        slope = float(values["negative_slope"])
    elif found.name == "rrelu" and {"lower", "upper"} & set(values):
        slope = _mean_square_slope(values.get("lower", 1 / 8), values.get("upper", 1 / 3))
    elif "alpha_initializer" in values and found.name == "prelu":
        alpha = keras.ops.convert_to_numpy(values["alpha_initializer"]((256,), dtype="float32"))
        slope = float(np.sqrt(np.mean(np.square(alpha, dtype="float64"))))
    return found if slope is None else dataclasses.replace(found, slope=slope)
