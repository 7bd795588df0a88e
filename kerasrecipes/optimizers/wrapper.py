"""What optimizers that wrap another one have in common."""

from collections.abc import Sequence
from typing import Any, Self

import keras

from kerasrecipes._checks import InputError
from kerasrecipes._keras_internals import wrapped
from kerasrecipes.optimizers.identify import WRAPPED, read


class OptimizerWrapper(keras.optimizers.Optimizer):
    """An optimizer that adds a step of its own around the updates of another.

    The wrapper's own step is its `update_step`, run for each variable by its own `apply`.

    Args:
        inner_optimizer: A Keras optimizer, or what `optimizers.get` reads as one.
        name: Name, or None.

    Raises: InputError around a `LossScaleOptimizer`, which has to be the outermost.

    Attributes:
        inner_optimizer: The wrapped optimizer.
    """

    def __init__(self, inner_optimizer: Any, *, name: str | None = None) -> None:
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner(inner_optimizer)

    def build(self, variables: Sequence[Any]) -> None:
        """Builds the inner optimizer as well."""
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Any]:
        """The variables of both."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        """The rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        """The updates of the inner optimizer."""
        return self.inner_optimizer.iterations

    def scale_loss(self, loss: Any) -> Any:
        """Scales the loss as the inner optimizer does."""
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Lets the inner optimizer set the final weights."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        inner = keras.saving.serialize_keras_object(self.inner_optimizer)
        return {"name": self.name, "inner_optimizer": inner}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Returns the optimizer that `get_config` described."""
        inner = keras.saving.deserialize_keras_object(config["inner_optimizer"], custom_objects)
        return cls(**{**config, "inner_optimizer": inner})


def inner(identifier: Any) -> keras.optimizers.Optimizer:
    """Returns the optimizer to wrap; one that scales the loss is refused."""
    optimizer = read(WRAPPED, identifier)
    if any(isinstance(each, keras.optimizers.LossScaleOptimizer) for each in wrapped(optimizer)):
        raise InputError(
            f"`{WRAPPED}` must not scale the loss. Put LossScaleOptimizer outside of all other "
            "wrappers, so that an overflow skips their steps too."
        )
    return optimizer
