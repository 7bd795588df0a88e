"""The variables that an optimizer updates, and their paths."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes._checks import InputError


def known(optimizer: Any, variables: Sequence[Any] | None) -> list[Any]:
    """Returns the variables to update, None for all, after building for them if need be."""
    if variables is None and not optimizer.built:
        raise InputError(
            "`trainable_variables` must be given, since the optimizer is not built. Call "
            "`build(trainable_variables)` first, or pass them to `apply`."
        )
    if variables is None:
        return list(optimizer._trainable_variables)
    variables = list(variables)
    if not optimizer.built:
        with keras.name_scope(optimizer.name):
            optimizer.build(variables)
    for variable in variables:
        try:
            optimizer._get_variable_index(variable)
        except KeyError as error:
            raise InputError(
                f"`trainable_variables` must be among those that {optimizer.name} was built for. "
                f"Received: {path_of(variable)!r}. After changing `trainable`, compile the model "
                "again with a new optimizer."
            ) from error
    return variables


def path_of(variable: Any) -> str:
    """Returns the path of a Keras variable, or the name of a plain `tf.Variable`."""
    return getattr(variable, "path", None) or variable.name.split(":")[0]
