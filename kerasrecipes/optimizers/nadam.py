"""Nadam."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes._export import export
from kerasrecipes.optimizers.practice_mixin import PracticeMixin
from kerasrecipes.optimizers.replicas import add_shared
from kerasrecipes.optimizers.settings import checked

_DECAY = 0.96**0.004


class _Nadam(keras.optimizers.Optimizer):
    """The rule of `Nadam`."""

    beta_1: float
    beta_2: float
    epsilon: float
    scheduled_momentum: Any

    def build(self, variables: Sequence[Any]) -> None:
        """Creates m and v for each variable, and p."""
        if self.built:
            return
        super().build(variables)
        add = self.add_variable_from_reference
        self.momentums = [add(variable, name="momentum") for variable in variables]
        self.velocities = [add(variable, name="velocity") for variable in variables]
        self.product = add_shared(self, "momentum_product", initializer="ones")

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Moves p on by one update, and updates the variables."""
        self.assign(self.product, self.product * self._momentum(1))
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable."""
        dtype = variable.dtype
        gradient, rate = ops.cast(gradient, dtype), ops.cast(learning_rate, dtype)
        index = self._get_variable_index(variable)
        m, v = self.momentums[index], self.velocities[index]
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        self.assign_add(v, (ops.square(gradient) - v) * (1 - self.beta_2))
        now, ahead = (ops.cast(self._momentum(k), dtype) for k in (1, 2))
        product = ops.cast(self.product, dtype)
        mean = ahead * m / (1 - product * ahead) + (1 - now) * gradient / (1 - product)
        correction = 1 - ops.power(
            ops.cast(self.beta_2, dtype), ops.cast(self.iterations + 1, dtype)
        )
        self.assign_sub(variable, rate * mean / (ops.sqrt(v / correction) + self.epsilon))

    def _momentum(self, ahead: int) -> Any:
        momentum = self.scheduled_momentum("float32")
        momentum = self.beta_1 if momentum is None else momentum
        step = ops.cast(self.iterations + ahead, "float32")
        return momentum * (1.0 - 0.5 * ops.power(_DECAY, step))


@export("optimizers")
class Nadam(PracticeMixin, _Nadam):
    """Adam with Nesterov momentum, whose momentum warms up.

    With gradient g, update t and u_t = b1 (1 - 0.96^(0.004 t) / 2):
        m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  p_t = u_1 u_2 ... u_t
        n = u_(t+1) m / (1 - p_t u_(t+1)) + (1 - u_t) g / (1 - p_t)
        w = w - r n / (sqrt(v / (1 - b2^t)) + epsilon)
    `keras.optimizers.Nadam` takes 0.96^t, which warms up 250 times as fast.

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 2e-3.
        beta_1: Decay of the mean of g. Defaults to 0.9.
        beta_2: Decay of the mean of g^2. Defaults to 0.999.
        epsilon: Keeps the division finite. Defaults to 1e-8.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Optimizer`.

    Example:
    >>> import keras
    >>> weight = keras.Variable([1.0])
    >>> Nadam(0.1).apply([keras.ops.ones(1)], [weight])
    >>> round(float(weight.numpy()[0]), 4)
    0.8944

    Reference: Dozat 2016, ICLR workshop; the constants are those of `torch.optim.NAdam`.
    """

    def __init__(
        self,
        learning_rate: Any = 2e-3,
        *,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        own = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
        own = checked(type(self), own)
        self.beta_1: float = own["beta_1"]
        self.beta_2: float = own["beta_2"]
        self.epsilon: float = own["epsilon"]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
