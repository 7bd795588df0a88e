"""Lengths in a schedule: in updates, in epochs, or as a share of the fit."""

import dataclasses
import numbers
import re
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from kerasrecipes._checks import InputError, check_choice, check_number, fail

_UNITS = {"update": "updates", "epoch": "epochs", "%": "share"}
_EXPECTED = "updates (int), a share of the fit (float in [0, 1]), '5 epochs' or '10%'"


class FitLength(NamedTuple):
    """How long a fit is: what schedules with relative lengths need to know.

    Attributes:
        updates: Optimizer updates in the whole fit, a number or scalar tensor > 0.
        updates_per_epoch: Optimizer updates in one epoch, a number or scalar tensor > 0.

    Example:
    >>> import kerasrecipes as kr
    >>> fit = kr.schedules.FitLength(updates=100, updates_per_epoch=10)
    >>> kr.schedules.Cosine(1.0).values([0, 50, 100], fit).round(4).tolist()
    [1.0, 0.5, 0.0]
    """

    updates: Any
    updates_per_epoch: Any


@dataclasses.dataclass(frozen=True)
class Duration:
    """A length: `amount` of a `unit`, "updates", "epochs" or "share" (of the fit).

    Example:
    >>> half = Duration(0.5, "share")
    >>> half.is_relative, float(half.updates(FitLength(100, 10), "float32"))
    (True, 50.0)
    """

    amount: float
    unit: str

    @property
    def is_relative(self) -> bool:
        """Whether the length in updates depends on the fit."""
        return self.unit != "updates"

    @property
    def plain(self) -> int | float | str:
        """The number or text that `duration` reads as this length."""
        if self.unit == "epochs":
            return f"{np.format_float_positional(self.amount, trim='0')} epochs"
        return float(self.amount) if self.unit == "share" else int(self.amount)

    def updates(self, fit: FitLength | None, dtype: Any) -> Any:
        """Returns the length, rounded to whole updates, a scalar tensor of `dtype`."""
        amount = ops.convert_to_tensor(self.amount, dtype)
        if not self.is_relative:
            return amount
        if fit is None:
            raise InputError(f"A length of {self.plain!r} needs to know the fit. Pass `fit`.")
        whole = fit.updates_per_epoch if self.unit == "epochs" else fit.updates
        return ops.round(amount * ops.cast(whole, dtype))


def epochs(number: float) -> Duration:
    """Returns the length of so many epochs, the same as the text "5 epochs".

    Args:
        number: Epochs, > 0.

    Example:
    >>> epochs(5)
    Duration(amount=5.0, unit='epochs')
    """
    return Duration(check_number("number", number, low=0.0, open_low=True), "epochs")


def duration(
    argument: str, value: Any, *, of: Duration | None = None, positive: bool = False
) -> Duration:
    """Reads a length.

    Args:
        argument: Its name, for the error.
        value: An int, optimizer updates; a float in [0, 1], a share of `of`; text such as
            "5 epochs" or "10%"; or a `Duration`.
        of: What a share is a share of. Defaults to None, the whole fit.
        positive: Whether 0 is refused. Defaults to False.

    Example:
    >>> duration("warmup", 100), duration("warmup", "5 epochs").unit, duration("warmup", "10%")
    (Duration(amount=100, unit='updates'), 'epochs', Duration(amount=0.1, unit='share'))
    >>> duration("warmup", "10%", of=duration("total", 50))
    Duration(amount=5, unit='updates')
    """
    length = _read(argument, value)
    high = 1.0 if length.unit == "share" else float("inf")
    amount = check_number(argument, length.amount, low=0.0, high=high, open_low=positive)
    if length.unit == "updates" and amount != round(amount):
        fail(argument, "a whole number of updates", value)
    if of is None or length.unit != "share":
        return length
    amount = length.amount * of.amount
    return Duration(amount if of.is_relative else round(amount), of.unit)


def check_within(total: Duration, **parts: Duration) -> None:
    """Refuses parts that together are longer than the total, if their units tell so.

    Args:
        total: The total.
        **parts: Its parts by name.
    """
    given = {name: part for name, part in parts.items() if part.amount}
    if any(part.unit != total.unit for part in given.values()):
        return
    rounding = 0.5 * len(given) if total.unit == "updates" else 1e-9
    if sum(part.amount for part in given.values()) > total.amount + rounding:
        names = " + ".join(f"`{name}`" for name in given)
        raise InputError(
            f"{names} must be at most `total`. Received: "
            f"{', '.join(f'{name} {part.plain!r}' for name, part in given.items())}, "
            f"of a total of {total.plain!r}."
        )


def _read(argument: str, value: Any) -> Duration:
    if isinstance(value, Duration):
        check_choice(f"{argument}.unit", value.unit, ("updates", "epochs", "share"))
        return value
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+\.?\d*|\.\d+) *(?:(epoch|update)s?|(%))", value.strip())
        if not match:
            fail(argument, _EXPECTED, value)
        unit = _UNITS[match[2] or match[3]]
        amount = float(match[1])
        return Duration(amount / 100 if unit == "share" else amount, unit)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        fail(argument, _EXPECTED, value)
    if isinstance(value, numbers.Integral):
        return Duration(int(value), "updates")
    if not 0 <= float(value) <= 1:
        fail(argument, _EXPECTED, value)
    return Duration(float(value), "share")
