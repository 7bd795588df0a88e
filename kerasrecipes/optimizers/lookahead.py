"""Lookahead."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasrecipes._checks import check_int, check_number
from kerasrecipes._export import export
from kerasrecipes.optimizers.starting_at import starting_at
from kerasrecipes.optimizers.wrapper import OptimizerWrapper


@export("optimizers")
class Lookahead(OptimizerWrapper):
    """Another optimizer, whose weights are pulled back towards slow ones every few updates.

    After every k-th update of the inner optimizer, with slow weights s:
        s = s + a (w - s),  w = s

    Args:
        inner_optimizer: A Keras optimizer, or a name or dict as for `optimizers.get`.
        sync_period: k, int >= 1. Defaults to 6.
        slow_step_size: a, in (0, 1]. Defaults to 0.5.
        name: Name, or None.

    Example:
    >>> optimizer = Lookahead("adamw", sync_period=5)
    >>> type(optimizer.inner_optimizer).__name__, optimizer.sync_period
    ('AdamW', 5)

    Reference: Zhang et al. 2019, arXiv:1907.08610.
    """

    def __init__(
        self,
        inner_optimizer: Any,
        *,
        sync_period: int = 6,
        slow_step_size: float = 0.5,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name=name)
        self.sync_period = check_int("sync_period", sync_period, low=1)
        self.slow_step_size = check_number(
            "slow_step_size", slow_step_size, low=0.0, high=1.0, open_low=True
        )

    def build(self, variables: Sequence[Any]) -> None:
        """Creates the slow weights, equal to the weights."""
        if self.built:
            return
        super().build(variables)
        add = self.add_variable_from_reference
        self.slow = [add(v, name="slow", initializer=starting_at(v)) for v in variables]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Lets the inner optimizer update the variables, and then the slow weights."""
        if not self.built:
            self.build(list(trainable_variables or []))
        variables = list(trainable_variables or self._trainable_variables)
        self.inner_optimizer.apply(grads, variables)
        super().apply([ops.zeros(()) for _ in variables], variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Brings one variable and its slow weights together, when it is time."""
        slow = self.slow[self._get_variable_index(variable)]
        due = ops.equal(self.iterations % self.sync_period, 0)
        pulled = slow + self.slow_step_size * (variable - slow)
        self.assign(slow, ops.where(due, pulled, slow))
        self.assign(variable, ops.where(due, pulled, variable))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        own = {"sync_period": self.sync_period, "slow_step_size": self.slow_step_size}
        return {**super().get_config(), **own}
