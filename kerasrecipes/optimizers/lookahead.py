"""Lookahead."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasrecipes._checks import check_int, check_number
from kerasrecipes._export import export
from kerasrecipes.optimizers.known import known
from kerasrecipes.optimizers.replicas import divided
from kerasrecipes.optimizers.set_elsewhere import set_elsewhere
from kerasrecipes.optimizers.wrapper import OptimizerWrapper


@export("optimizers")
class Lookahead(OptimizerWrapper):
    """Another optimizer, whose weights are pulled back towards slow ones every few updates.

    After every k-th update of the inner optimizer, with slow weights s:
        s = s + a (w - s),  w = s
    s begins at w, and begins there anew wherever somebody else sets w, as loading or early
    stopping do. To notice that takes a copy of the weights besides s.

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
        """Creates the slow weights, and what the last update left the weights at."""
        if self.built:
            return
        super().build(variables)
        self.slow = self.add_optimizer_variables(variables, "slow")
        self.last = self.add_optimizer_variables(variables, "last")

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Lets the inner optimizer update the variables, and then the slow weights."""
        variables = known(self, trainable_variables)
        moves = divided([self._move_of_slow(variable) for variable in variables])
        self.inner_optimizer.apply(grads, variables)
        super().apply(moves, variables)

    def _move_of_slow(self, variable: Any) -> Any:
        """Returns what brings the slow weights to a variable where somebody else has set it."""
        index = self._get_variable_index(variable)
        slow, now = (ops.convert_to_tensor(each) for each in (self.slow[index], variable))
        return ops.where(set_elsewhere(now, self.last[index]), now - slow, ops.zeros_like(slow))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Brings one variable and its slow weights together, when it is time."""
        index = self._get_variable_index(variable)
        slow = ops.convert_to_tensor(self.slow[index]) + gradient
        fast = ops.convert_to_tensor(variable)
        due = ops.equal(self.iterations % self.sync_period, 0)
        pulled = slow + self.slow_step_size * (fast - slow)
        self.assign(self.slow[index], ops.where(due, pulled, slow))
        left = ops.where(due, pulled, fast)
        self.assign(variable, left)
        self.assign(self.last[index], left)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        own = {"sync_period": self.sync_period, "slow_step_size": self.slow_step_size}
        return {**super().get_config(), **own}
