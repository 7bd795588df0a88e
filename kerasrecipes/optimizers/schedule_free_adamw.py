"""ScheduleFreeAdamW."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.optimizers.practice_mixin import PracticeMixin
from kerasrecipes.optimizers.replicas import add_shared
from kerasrecipes.optimizers.scheduled_rate import number
from kerasrecipes.optimizers.set_elsewhere import set_elsewhere


class _ScheduleFree(keras.optimizers.ScheduleFreeAdamW):
    """The rule of `ScheduleFreeAdamW`."""

    decay_of: Any

    def build(self, variables: Sequence[Any]) -> None:
        """Creates z, v and the last weights for each variable, and what all of them share."""
        super(keras.optimizers.ScheduleFreeAdamW, self).build(variables)
        names = ["z", "velocity", "last"]
        self.z, self.velocities, self.last = self.add_optimizer_variables(variables, names)
        self.max_rate = add_shared(self, "max_rate")
        self.weight_sum = add_shared(self, "weight_sum")
        # The updates made when the weights went to the average, plus 1; the next update ends it.
        self.averaged_at = add_shared(self, "averaged_at", dtype="int32")

    @property
    def is_average(self) -> Any:
        """Whether the trained variables hold the average x, a scalar tensor of 0 or 1."""
        now = ops.cast(self.iterations + 1, "int32")
        return ops.cast(ops.equal(ops.convert_to_tensor(self.averaged_at), now), "float32")

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Moves the sum of weights on by one update, and updates the variables."""
        rate = ops.maximum(ops.cast(self._warm_rate(self.learning_rate), "float32"), self.max_rate)
        self.assign(self.max_rate, rate)
        self.assign(self.weight_sum, self.weight_sum + ops.square(rate))
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable, which holds y, or x if nobody has moved it back."""
        dtype = variable.dtype
        gradient = ops.cast(gradient, dtype)
        rate = ops.cast(self._warm_rate(learning_rate), dtype)
        index = self._get_variable_index(variable)
        z, v = self._present_z(index, variable), self.velocities[index]
        now = ops.convert_to_tensor(variable)
        x = ops.where(self.is_average > 0, now, self._average(now, z))
        self.assign_add(v, (ops.square(gradient) - v) * (1 - self.beta_2))
        correction = 1 - ops.power(
            ops.cast(self.beta_2, dtype), ops.cast(self.iterations + 1, dtype)
        )
        step = gradient / (ops.sqrt(v / correction) + self.epsilon)
        decay = self.decay_of(variable)
        if decay:
            step = step + decay * self._interpolation(x, z)
        z = z - rate * step
        self.assign(self.z[index], z)
        c = ops.cast(ops.square(self.max_rate) / ops.maximum(self.weight_sum, 1e-30), dtype)
        x = (1 - c) * x + c * z
        y = self._constrained(index, self._interpolation(x, z))
        self.assign(variable, y)
        self.assign(self.last[index], ops.copy(y))  # JAX takes no buffer for two variables

    def _present_z(self, index: int, variable: Any) -> Any:
        """Returns z, which begins at a variable's value where somebody else has set it."""
        now, z = ops.convert_to_tensor(variable), ops.convert_to_tensor(self.z[index])
        return ops.where(set_elsewhere(now, self.last[index]), now, z)

    def _constrained(self, index: int, value: Any) -> Any:
        constraint = getattr(self._trainable_variables[index], "constraint", None)
        return value if constraint is None else constraint(value)

    def _warm_rate(self, rate: Any) -> Any:
        if not self.warmup_steps:
            return rate
        share = ops.cast(self.iterations + 1, "float32") / self.warmup_steps
        return rate * ops.minimum(share, 1.0)

    def _average(self, y: Any, z: Any) -> Any:
        return y + (y - z) * ((1 - self.beta_1) / self.beta_1)  # y to the bit where z is y

    def _interpolation(self, x: Any, z: Any) -> Any:
        return x + (z - x) * (1 - self.beta_1)


@export("optimizers")
class ScheduleFreeAdamW(PracticeMixin, _ScheduleFree):
    """AdamW at a constant rate, whose averaged weights take the place of a schedule.

    With gradient g at y, rate r after its warm-up, its largest value so far R, and decay d:
        v = b2 v + (1 - b2) g^2,  z = z - r (g / (sqrt(v / (1 - b2^t)) + epsilon) + d y)
        c = R^2 / (sum of R^2),   x = (1 - c) x + c z,  y = (1 - b1) z + b1 x
    The model trains at y; x is the average that it predicts with. `to_average` and `to_training`
    move the weights from one to the other; recipe models and `callbacks.standard()` do it for
    every evaluation and at the end of the fit, by `callbacks.AverageForEvaluation`.
    Where somebody else sets the weights, as loading or early stopping do, x, y and z begin there
    anew; to notice that takes a copy of them. A momentum that a schedule asks for, as `OneCycle`
    does, is ignored: b1 is no momentum here.
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
        if kwargs.get("decay_schedule") is not None:
            fail("decay_schedule", "None, since this needs no schedule", kwargs["decay_schedule"])
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            beta_1=check_number("beta_1", beta_1, low=0.0, high=1.0, open_low=True, open_high=True),
            beta_2=beta_2,
            epsilon=epsilon,
            warmup_steps=check_int("warmup_steps", warmup_steps, low=0),
            **kwargs,
        )

    def scheduled_momentum(self, dtype: Any) -> None:
        """Returns None: beta_1 is no momentum, and the average would be wrong if it changed."""

    def decay(self, variable: Any, rate: Any) -> None:
        """Leaves the decay to the rule, which decays z."""

    def to_average(self) -> None:
        """Sets the trained variables to the average x; does nothing if they are."""
        self._move(self._average, to_average=True)

    def to_training(self) -> None:
        """Sets the trained variables back to the training point y; does nothing if they are."""
        self._move(self._interpolation, to_average=False)

    def _move(self, moved: Any, *, to_average: bool) -> None:
        if not self.built or bool(number(self.is_average)) == to_average:
            return
        for index, variable in enumerate(self._trainable_variables):
            z = self._present_z(index, variable)
            value = moved(ops.convert_to_tensor(variable), z)
            self.z[index].assign(z)
            variable.assign(value)
            self.last[index].assign(ops.copy(value))
        self.averaged_at.assign(int(number(self.iterations)) + 1 if to_average else 0)
