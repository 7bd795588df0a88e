"""From whatever names an activation to a callable."""

from collections.abc import Callable
from typing import Any

import keras

from kerasrecipes._checks import InputError, fail
from kerasrecipes.activations import _names
from kerasrecipes.activations.partial import Partial


def get(identifier: Any) -> Callable[..., Any]:
    """Returns the activation that `identifier` describes.

    It is a superset of `keras.activations.get`: case and underscores of names do not count, an
    activation may come with arguments, and an unknown name is an error that suggests another.

    Args:
        identifier: None for linear; a name ("relu", "LeakyReLU", the registered name of a custom
            function); a dict of a "name" and arguments; the config of a function or layer; or a
            function or layer, which is returned as it is.

    Returns: A Keras function for a name, a `Partial` for a name with arguments, else the layer
        or callable.

    Raises: InputError for an unknown name, arguments that do not fit, and anything else.

    Example:
    >>> get("silu").__name__
    'silu'
    >>> get({"name": "leaky_relu", "negative_slope": 0.1})
    Partial('leaky_relu', negative_slope=0.1)
    >>> get("sillu")
    Traceback (most recent call last):
    kerasrecipes._checks.InputError: `activation` must be ... Did you mean 'silu'?
    """
    if identifier is None:
        return keras.activations.linear
    if isinstance(identifier, str):
        return _names.function(identifier)
    if isinstance(identifier, dict):
        return _from_dict(identifier)
    if callable(identifier):
        return identifier
    fail("activation", "a name, a dict, a function or a layer", identifier)


def _from_dict(identifier: dict[str, Any]) -> Callable[..., Any]:
    arguments = dict(identifier)
    if isinstance(name := arguments.pop("name", None), str):
        return Partial(name, **arguments) if arguments else _names.function(name)
    if "class_name" not in identifier:
        fail("activation", "a dict with a 'name' and arguments, or a config", identifier)
    try:
        return keras.activations.get(identifier)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`activation` must be a config that Keras can read. Received: {identifier}. "
            f"Keras says: {error}"
        ) from error
