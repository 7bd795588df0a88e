"""Argument errors: one wording for what was expected, what came, and what to do."""

import difflib
import math
import numbers
from collections.abc import Iterable
from typing import Any, NoReturn


class InputError(ValueError):
    """What the caller gave is wrong, and nothing has been trained yet.

    The message names the argument, what was expected, what came, and the remedy. It is a
    `ValueError`, so code that catches those catches this too; the command line shows the
    message without a traceback.

    Example:
    >>> import kerasrecipes as kr
    >>> kr.targets.Multiclass(1)
    Traceback (most recent call last):
    kerasrecipes._checks.InputError: `classes` must be an integer >= 2. Received: 1 (int). ...
    """


def fail(argument: str, expected: str, received: Any, remedy: str = "") -> NoReturn:
    """Raises the standard error for one argument."""
    shown = repr(received)
    if len(shown) > 200:
        shown = f"{str(shown)[:197]}..."
    message = (
        f"`{argument}` must be {expected}. Received: {shown} ({type(received).__name__}). {remedy}"
    )
    raise InputError(message.strip())


def check_int(argument: str, value: Any, *, low: int | None = None, remedy: str = "") -> int:
    """Returns `value` as an int of at least `low`; bools and floats are refused."""
    expected = "an integer" if low is None else f"an integer >= {low}"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        fail(argument, expected, value, remedy)
    if low is not None and value < low:
        fail(argument, expected, value, remedy)
    return int(value)


def check_ints(
    argument: str, values: Any, *, low: int, empty: bool = False, remedy: str = ""
) -> list[int]:
    """Returns a tuple or list of integers of at least `low` as a list; `empty` allows none."""
    if not isinstance(values, (tuple, list)) or not (values or empty):
        fail(argument, f"a sequence of integers >= {low}", values, remedy)
    return [check_int(argument, value, low=low, remedy=remedy) for value in values]


def check_number(
    argument: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
    remedy: str = "",
) -> float:
    """Returns `value` as a finite float in the interval from `low` to `high`.

    `open_low` and `open_high` exclude the end points.
    """
    expected = _interval(low, high, open_low, open_high)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        fail(argument, expected, value, remedy)
    number = float(value)
    too_low = number <= low if open_low else number < low
    too_high = number >= high if open_high else number > high
    if not math.isfinite(number) or too_low or too_high:
        fail(argument, expected, value, remedy)
    return number


def check_choice(argument: str, value: Any, choices: Iterable[Any], *, remedy: str = "") -> Any:
    """Returns `value` if it is one of `choices`, else suggests the nearest name."""
    choices = list(choices)
    if any(value is choice or value == choice for choice in choices):
        return value
    expected = "one of " + ", ".join(repr(choice) for choice in choices)
    fail(argument, expected, value, f"{remedy} {did_you_mean(value, choices)}".strip())


def did_you_mean(value: Any, choices: Iterable[Any]) -> str:
    """Returns "Did you mean 'x'?" for a near miss among string choices, else ""."""
    names = [choice for choice in choices if isinstance(choice, str)]
    near = difflib.get_close_matches(str(value), names, n=1)
    return f"Did you mean {near[0]!r}?" if near else ""


def _interval(low: float, high: float, open_low: bool, open_high: bool) -> str:
    if low == -math.inf and high == math.inf:
        return "a finite number"
    if high == math.inf:
        return f"a number {'>' if open_low else '>='} {low:g}"
    if low == -math.inf:
        return f"a number {'<' if open_high else '<='} {high:g}"
    left, right = "(" if open_low else "[", ")" if open_high else "]"
    return f"a number in {left}{low:g}, {high:g}{right}"
