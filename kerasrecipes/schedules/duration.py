"""Lengths in a schedule: in updates, in epochs, or as a share of the fit."""

import dataclasses
import re
from typing import Any

from keras import ops

from kerasrecipes._checks import check_number, fail
from kerasrecipes.schedules.schedule import FitLength


@dataclasses.dataclass(frozen=True)
class Duration:
    """A length: `amount` of a `unit`, "updates", "epochs" or "share" (of the fit).

    Example:
    >>> Duration(5, "epochs").is_relative
    True
    """

    amount: float
    unit: str

    @property
    def is_relative(self) -> bool:
        """Whether the length in updates depends on the fit."""
        return self.unit != "updates"

    def updates(self, fit: FitLength | None, dtype: Any) -> Any:
        """Returns the length in updates, a scalar tensor of `dtype`."""
        amount = ops.convert_to_tensor(self.amount, dtype)
        if self.unit == "updates" or fit is None:
            return amount
        whole = fit.updates_per_epoch if self.unit == "epochs" else fit.updates
        return amount * ops.cast(whole, dtype)


def duration(argument: str, value: Any, *, low: float = 0.0) -> Duration:
    """Reads a length.

    Args:
        argument: Its name, for the error.
        value: An int, optimizer updates; a float in [0, 1], a share of the fit; or text such as
            "5 epochs" or "10%".
        low: Least amount. Defaults to 0.

    Example:
    >>> duration("warmup", 100), duration("warmup", "5 epochs").unit, duration("warmup", "10%")
    (Duration(amount=100, unit='updates'), 'epochs', Duration(amount=0.1, unit='share'))
    """
    if isinstance(value, Duration):
        return value
    expected = "updates (int), a share of the fit (float in [0, 1]), '5 epochs' or '10%'"
    if isinstance(value, str):
        match = re.fullmatch(r"([0-9.]+) *(epochs?|updates?|%)", value.strip())
        if not match:
            fail(argument, expected, value)
        amount = float(match[1])
        if match[2] == "%":
            return Duration(check_number(argument, amount / 100, low=low, high=1.0), "share")
        return Duration(amount, "epochs" if match[2].startswith("epoch") else "updates")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        fail(argument, expected, value)
    if isinstance(value, int):
        return Duration(int(check_number(argument, value, low=low)), "updates")
    return Duration(check_number(argument, value, low=low, high=1.0), "share")
