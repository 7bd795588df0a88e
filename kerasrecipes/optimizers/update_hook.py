"""What a callback adds to every update of an optimizer, on the device."""

from collections.abc import Sequence
from typing import Any, ClassVar


class UpdateHook:
    """Base of what runs within each update, as a part of the compiled training step.

    An optimizer of this package has `hooks`. It lets each of them `judge` every gradient of a
    whole batch, after the all-reduce. Unless all that decide have `admitted` it, the batch leaves
    no trace in the optimizer: nothing moves, nothing is accumulated, and `iterations` does not
    count it. Then each hook is told whether an update was made.

    A hook keeps what changes in Keras variables of aggregation "only_first_replica".

    Attributes:
        decides: Whether the optimizer has to ask the hook for `admitted`.
        fit: What tells the fit that it is for from others.
        rate_factor: Variable that the rate of every update is multiplied by, or None.
        decay_factor: Variable that the weight decay is multiplied by, or None.
    """

    decides: ClassVar[bool] = False
    fit: object = None
    rate_factor: Any = None
    decay_factor: Any = None

    def judge(self, gradients: Sequence[Any]) -> None:
        """Sees the gradients of the whole batch, None among them, before anything is done."""

    def admitted(self) -> Any:
        """Returns whether the gradients judged last may be used, a scalar boolean tensor.

        The optimizer asks wherever it assigns, so the answer has to come from variables.
        """
        raise NotImplementedError

    def after(self, updated: Any) -> None:
        """Runs after the optimizer is done; `updated` tells whether the weights have moved."""
