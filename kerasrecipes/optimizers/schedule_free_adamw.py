"""ScheduleFreeAdamW."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes._export import export
from kerasrecipes.optimizers.practice_mixin import PracticeMixin
from kerasrecipes.optimizers.starting_at import starting_at


class _ScheduleFree(keras.optimizers.ScheduleFreeAdamW):
    """The rule of `ScheduleFreeAdamW`."""

    decay_of: Any

    def build(self, variables: Sequence[Any]) -> None:
        """Creates z and v for each variable, the largest rate and the sum of weights."""
        super(keras.optimizers.ScheduleFreeAdamW, self).build(variables)
        add = self.add_variable_from_reference
        self._momentums = [add(v, name="z", initializer=starting_at(v)) for v in variables]
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self.max_rate = self._zero("max_rate")
        self.weight_sum = self._zero("weight_sum")
        self.is_average = self._zero("is_average")

    def _zero(self, name: str) -> Any:
        return self.add_variable(
            (), "zeros", "float32", aggregation="only_first_replica", name=name
        )

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Moves the sum of weights on by one update, and updates the variables."""
        rate = ops.maximum(ops.cast(self._warm_rate(self.learning_rate), "float32"), self.max_rate)
        self.assign(self.max_rate, rate)
        self.assign(self.weight_sum, self.weight_sum + ops.square(rate))
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable, which holds y."""
        dtype = variable.dtype
        gradient = ops.cast(gradient, dtype)
        rate = ops.cast(self._warm_rate(learning_rate), dtype)
        index = self._get_variable_index(variable)
        z, v = self._momentums[index], self._velocities[index]
        self.assign_add(v, (ops.square(gradient) - v) * (1 - self.beta_2))
        correction = 1 - ops.power(
            ops.cast(self.beta_2, dtype), ops.cast(self.iterations + 1, dtype)
        )
        step = gradient / (ops.sqrt(v / correction) + self.epsilon)
        step = step + self.decay_of(variable) * variable
        x = self._average(variable, z)
        self.assign_sub(z, rate * step)
        c = ops.cast(ops.square(self.max_rate) / ops.maximum(self.weight_sum, 1e-30), dtype)
        x = (1 - c) * x + c * z
        self.assign(variable, self._interpolation(x, z))

    def _warm_rate(self, rate: Any) -> Any:
        if not self.warmup_steps:
            return rate
        share = ops.cast(self.iterations + 1, "float32") / self.warmup_steps
        return rate * ops.minimum(share, 1.0)

    def _average(self, y: Any, z: Any) -> Any:
        return (y - (1 - self.beta_1) * z) / self.beta_1

    def _interpolation(self, x: Any, z: Any) -> Any:
        return (1 - self.beta_1) * z + self.beta_1 * x


@export("optimizers")
class ScheduleFreeAdamW(PracticeMixin, _ScheduleFree):
    """AdamW at a constant rate, whose averaged weights take the place of a schedule.

    With gradient g at y, rate r after its warm-up, its largest value so far R, and decay d:
        v = b2 v + (1 - b2) g^2,  z = z - r (g / (sqrt(v / (1 - b2^t)) + epsilon) + d y)
        c = R^2 / (sum of R^2),   x = (1 - c) x + c z,  y = (1 - b1) z + b1 x
    The model trains at y; x is the average that it predicts with. `to_average` and `to_training`
    move the weights from one to the other; recipe models and `callbacks.standard()` do it for
    every evaluation and at the end of the fit, by `callbacks.AverageForEvaluation`.
    `keras.optimizers.ScheduleFreeAdamW` evaluates at y, starts z at zero when `fit` builds it,
    does not decay z, and weights the updates of the warm-up like all others.

    Args:
        learning_rate: r, a float, schedule or function. Defaults to 2.5e-3.
        weight_decay: d, float >= 0. Defaults to 0.0.
        beta_1: Share of x in y, in (0, 1). Defaults to 0.9.
        beta_2: Decay of the mean of g^2. Defaults to 0.999.
        epsilon: Keeps the division finite. Defaults to 1e-8.
        warmup_steps: Updates over which the rate rises from 0. Defaults to 0.
        **kwargs: Arguments of `PracticeMixin` (clipping, `exclude_from_decay`) and of
            `keras.optimizers.Optimizer`.

    Example:
    >>> optimizer = ScheduleFreeAdamW(2.5e-3, warmup_steps=100)
    >>> optimizer.warmup_steps
    100

    Reference: Defazio et al. 2024, arXiv:2405.15682.
    """

    def __init__(
        self,
        learning_rate: Any = 2.5e-3,
        *,
        weight_decay: float | None = 0.0,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            warmup_steps=warmup_steps,
            **kwargs,
        )

    def decay(self, variable: Any, rate: Any) -> None:
        """Leaves the decay to the rule, which decays z."""

    def to_average(self) -> None:
        """Sets the trained variables to the average x; does nothing if they are."""
        self._move(self._average, 1.0)

    def to_training(self) -> None:
        """Sets the trained variables back to the training point y; does nothing if they are."""
        self._move(self._interpolation, 0.0)

    def _move(self, moved: Any, is_average: float) -> None:
        if not self.built or float(ops.convert_to_numpy(self.is_average)) == is_average:
            return
        for variable, z in zip(self._trainable_variables, self._momentums, strict=True):
            variable.assign(moved(variable, z))
        self.is_average.assign(is_average)
