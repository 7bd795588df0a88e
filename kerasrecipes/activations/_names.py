"""From the name of an activation to its function."""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from kerasrecipes._checks import InputError, did_you_mean, fail
from kerasrecipes.activations.rrelu import rrelu
from kerasrecipes.activations.sparsemax import sparsemax

_NOT_ACTIVATIONS = {"deserialize", "get", "serialize"}


def key(name: str) -> str:
    """Returns what counts of a name: "LeakyReLU" and "leaky_relu" are the same."""
    return name.replace("_", "").lower()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in vars(keras.activations).items()
    if inspect.isfunction(function) and name not in _NOT_ACTIVATIONS
} | {"rrelu": rrelu, "sparsemax": sparsemax}
"""The activations of Keras and of this package that have no weights, by name; ours come first."""

_BY_KEY = {key(name): function for name, function in FUNCTIONS.items()}


def function(name: str) -> Any:
    """Returns the activation function called `name`, registered custom ones included."""
    if key(name) in _BY_KEY:
        return _BY_KEY[key(name)]
    custom = keras.saving.get_registered_object(name)
    if custom is None and ">" not in name:
        custom = keras.saving.get_registered_object(f"Custom>{name}")
    if custom is not None:
        return custom() if inspect.isclass(custom) else custom
    if key(name) == "prelu":
        raise InputError(
            "`activation` must be a function without weights here. Received: 'prelu', whose "
            "slopes are learned. Use the layer `kerasrecipes.layers.ChannelPReLU()`."
        )
    names = sorted(FUNCTIONS)
    hint = did_you_mean(name.lower(), names) or f"There are: {', '.join(names)}."
    fail("activation", "the name of an activation", name, hint)


def name_of(function: Callable[..., Any]) -> str:
    """Returns the name of a function, or of the class of a callable object."""
    return getattr(function, "__name__", type(function).__name__)
