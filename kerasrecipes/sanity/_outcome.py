"""What a check returns; `check` gives it the name."""

import math
import re

from kerasrecipes.sanity.report import Finding

ANY = (-math.inf, math.inf)


class UnavailableError(Exception):
    """What a check needs cannot be had; the message says why."""


def judged(
    status: str,
    quantity: str,
    seen: float,
    expected: tuple[float, float] = ANY,
    *,
    note: str = "",
    remedy: str = "",
) -> Finding:
    """Returns a finding; the remedy counts only if something is wrong."""
    wrong = status in ("warn", "fail")
    low, high = map(float, expected)
    return Finding("", status, quantity, float(seen), low, high, note, remedy if wrong else "")


def skip(why: str) -> Finding:
    """Returns the finding of a check that has nothing to look at."""
    return Finding("", "skipped", note=why)


def at_most(limit: float) -> tuple[float, float]:
    """Returns the interval up to a number."""
    return -math.inf, limit


def exactly(number: float) -> tuple[float, float]:
    """Returns the interval of one number."""
    return number, number


def listed(names: list[str], most: int = 5) -> str:
    """Returns names in a sentence, the first few of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def said(error: BaseException, most: int = 250) -> str:
    """Returns the kind and the first words of an error on one line, without colours."""
    text = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split())
    return f"{type(error).__name__}: {text[:most]}"
