"""Partial."""

import inspect
from collections.abc import Callable
from typing import Any, Self

import keras

from kerasrecipes._checks import InputError, fail
from kerasrecipes._export import export
from kerasrecipes.activations import _names


@export("activations")
class Partial:
    """An activation function with some of its arguments fixed, which can be saved.

        y = f(x, **arguments)
    A lambda or `functools.partial` does the same, but a model that holds one cannot be loaded.

    Args:
        function: Name of an activation, such as "leaky_relu", or a function that Keras can
            save: one of its own or a registered one.
        **arguments: The arguments to fix, such as `negative_slope=0.1`.

    Call arguments:
        x: Tensor.

    Returns: What the function returns.

    Raises: InputError for an unknown name, for an argument that the function does not take, and
        for one that it needs and lacks.

    Example:
    >>> import numpy as np
    >>> f = Partial("leaky_relu", negative_slope=0.5)
    >>> np.array(f(np.array([-4.0, 2.0]))).tolist()
    [-2.0, 2.0]
    >>> f
    Partial('leaky_relu', negative_slope=0.5)
    """

    def __init__(self, function: str | Callable[..., Any], **arguments: Any) -> None:
        if isinstance(function, str):
            function = _names.function(function)
        if not callable(function):
            fail("function", "the name of an activation, or a function", function)
        signature = inspect.signature(function)
        try:
            signature.bind(None, **arguments)
        except TypeError as error:
            raise InputError(
                f"`activation` does not fit {_names.name_of(function)}{signature}: {error}. "
                f"Received: {arguments}."
            ) from error
        self.function = function
        self.arguments = arguments

    def __call__(self, x: Any) -> Any:
        """Returns the function of `x` and the fixed arguments."""
        return self.function(x, **self.arguments)

    def __repr__(self) -> str:
        """Shows the function's name and the fixed arguments."""
        shown = [repr(_names.name_of(self.function))]
        shown += [f"{name}={value!r}" for name, value in self.arguments.items()]
        return f"Partial({', '.join(shown)})"

    def get_config(self) -> dict[str, Any]:
        """Returns the function and its arguments."""
        return {
            "function": keras.activations.serialize(self.function),
            "arguments": dict(self.arguments),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns the function that `get_config` described."""
        return cls(keras.activations.get(config["function"]), **config["arguments"])
