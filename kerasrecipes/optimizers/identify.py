"""From a name to an optimizer."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras

from kerasrecipes._checks import InputError, fail
from kerasrecipes._export import bind, lookup


def get(identifier: Any, **arguments: Any) -> keras.optimizers.Optimizer:
    """Returns the optimizer that `identifier` describes.

    Args:
        identifier: Name of an optimizer of this package ("adamw"), a dict with its name as
            "name" and its arguments, or a Keras optimizer, which is returned as it is. A wrapper,
            such as "lookahead", has another such dict or name as its "inner_optimizer".
        **arguments: Arguments for an optimizer given by name. None stands for the optimizer's
            own default; a finished optimizer takes no others, and a wrapper hands them on.

    Example:
    >>> optimizer = get("adamw", learning_rate=3e-4, weight_decay=None, global_clipnorm=1.0)
    >>> type(optimizer).__name__, optimizer.weight_decay
    ('AdamW', 0.01)
    """
    given = {key: value for key, value in arguments.items() if value is not None}
    return read("optimizer", identifier, given)


def read(
    argument: str, identifier: Any, given: Mapping[str, Any] = MappingProxyType({})
) -> keras.optimizers.Optimizer:
    """Returns the optimizer that the argument describes, made with what else is given."""
    if isinstance(identifier, keras.optimizers.Optimizer):
        if given:
            raise InputError(
                f"`{argument}` is a finished {type(identifier).__name__}, so {', '.join(given)} "
                "cannot be set as well. Set them on the optimizer, or name it by a string."
            )
        return identifier
    if isinstance(identifier, str):
        identifier = {"name": identifier}
    if not isinstance(identifier, dict) or "name" not in identifier:
        fail(argument, "a name, a dict with a 'name', or a Keras optimizer", identifier)
    own = {key: value for key, value in identifier.items() if key != "name"}
    twice = sorted(set(own) & set(given))
    if twice:
        raise InputError(f"`{argument}` sets {', '.join(twice)}, which the recipe sets as well.")
    factory = _factory(argument, str(identifier["name"]))
    if WRAPPED in own:
        own[WRAPPED] = read(WRAPPED, own[WRAPPED], given)
        given = {}
    return bind(argument, factory, {**given, **own})


WRAPPED = "inner_optimizer"


def _factory(argument: str, name: str) -> Any:
    factory = lookup(argument, "optimizers", name)
    if not isinstance(factory, type):
        fail(argument, "the name of an optimizer", name)
    return factory
