"""An optimizer that updates many models at once, each at its own rate and decay."""

import functools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from kerasrecipes.optimizers.adadelta import Adadelta
from kerasrecipes.optimizers.adagrad import Adagrad
from kerasrecipes.optimizers.adam import Adam
from kerasrecipes.optimizers.adamax import Adamax
from kerasrecipes.optimizers.adamw import AdamW
from kerasrecipes.optimizers.lion import Lion
from kerasrecipes.optimizers.rmsprop import RMSprop
from kerasrecipes.optimizers.sgd import SGD

STACKABLE = (SGD, Adam, AdamW, Adamax, RMSprop, Adagrad, Adadelta, Lion)
"""Optimizers that treat every element of a variable alike, and count nothing but updates."""

FOLLOWING = (SGD, Adam, AdamW, Adamax, Lion)
"""Those whose momentum or `beta_1` follows the schedule, if it is not 0."""

_SET_PER_MODEL = {
    "learning_rate": 0.0,
    "clipvalue": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "adaptive_clip": None,
    "track_updates": False,
}


class Stacked:
    """The part of a stacked optimizer that gives each model what is its own.

    The variables have the models along their first axis. `step` takes the place of `apply`, and
    leaves the variables as they are.
    """

    _scope: keras.StatelessScope
    _indices: dict[int, int]
    _stacked_updates: Any = None
    _stacked_decay: Any = None
    _stacked_momentum: Any = None
    _rank = 1

    def like(self, other: Any) -> None:
        """Decays what another optimizer decays, and multiplies rates as it does."""
        self._is_decayed = list(other._is_decayed)
        self._factors = list(other._factors)

    def step(
        self,
        gradients: Sequence[Any],
        state: Sequence[tuple[keras.Variable, Any]],
        *,
        rates: Any,
        decays: Any,
        momenta: Any,
        updates: Any,
    ) -> list[Any]:
        """Returns the new values of all variables; settings are vectors, an entry for each model.

        Args:
            gradients: One for each weight.
            state: The weights, in the order in which the optimizer was built for them, and the
                optimizer's own variables, with their values: of any number of models.
            rates: Learning rates.
            decays: Weight decays.
            momenta: Momenta or `beta_1`, or None for the optimizer's own.
            updates: How many updates each model has made, int.
        """
        self._stacked_updates = updates
        self._stacked_decay, self._stacked_momentum = decays, momenta
        try:
            with keras.StatelessScope() as self._scope:
                for pair in state:
                    self._scope.add_update(pair)
                for gradient, (variable, _) in zip(gradients, state, strict=False):
                    self._rank = len(variable.shape)
                    self.update_step(gradient, variable, self._wide(rates))
                return [self._scope.get_current_value(variable) for variable, _ in state]
        finally:
            self._stacked_updates = self._stacked_decay = self._stacked_momentum = None

    def assign(self, variable: Any, value: Any) -> None:
        """Sets the value that a variable has from now on in this step."""
        self._scope.add_update((variable, tf.cast(value, variable.dtype)))

    def assign_add(self, variable: Any, value: Any) -> None:
        """As `assign`, for the sum."""
        self.assign(variable, variable.value + tf.cast(value, variable.dtype))

    def assign_sub(self, variable: Any, value: Any) -> None:
        """As `assign`, for the difference."""
        self.assign(variable, variable.value - tf.cast(value, variable.dtype))

    def _get_variable_index(self, variable: Any) -> int:
        return self._indices[id(variable)]

    def _wide(self, settings: Any) -> Any:
        """Returns a vector over the models in the rank of the variable that is updated."""
        return tf.reshape(settings, [-1] + [1] * (self._rank - 1))

    @property
    def iterations(self) -> Any:
        """The updates made, of every model during an update."""
        if self._stacked_updates is None:
            return super().iterations  # type: ignore[misc]
        return self._wide(self._stacked_updates)

    def decay(self, variable: Any, rate: Any) -> None:
        """Decays one variable of all models."""
        index = self._get_variable_index(variable)
        if self._is_decayed[index]:
            shrink = tf.cast(rate * self._wide(self._stacked_decay), variable.dtype)
            self.assign_sub(variable, variable.value * shrink)

    def scheduled_momentum(self, dtype: Any) -> Any:
        """Returns the momenta of the models, or None for the optimizer's own."""
        if self._stacked_momentum is None:
            return None
        return tf.cast(self._wide(self._stacked_momentum), dtype)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable of all models."""
        optimizer: Any = super()
        optimizer.update_step(gradient, variable, learning_rate)


def stacked(optimizer: Any, variables: Sequence[keras.Variable]) -> Any:
    """Returns an optimizer as the given one, for variables with the models along the first axis."""
    config = optimizer.get_config() | _SET_PER_MODEL
    made = _stacked_class(type(optimizer)).from_config(config)
    made.build(variables)
    made._indices = {id(variable): index for index, variable in enumerate(variables)}
    made.like(optimizer)
    return made


@functools.cache
def _stacked_class(kind: type) -> type:
    return type(f"Stacked{kind.__name__}", (Stacked, kind), {})
