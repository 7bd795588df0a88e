"""TOML as people write it."""

import re
from collections.abc import Mapping
from typing import Any

import tomli_w

# An array of numbers or strings as tomli_w writes it, an item a line.
_ARRAY = re.compile(r"\[\n(?: {4}[^\[{\n]*,\n)+\]")
_LINE = 90


def to_toml(tables: Mapping[str, Any]) -> str:
    """Returns the tables as TOML, with short arrays on one line.

    Example:
    >>> print(to_toml({"model": {"hidden": [64, 64]}}), end="")
    [model]
    hidden = [64, 64]
    """
    return _ARRAY.sub(_on_one_line, tomli_w.dumps(tables))


def _on_one_line(array: re.Match[str]) -> str:
    items = [line.strip().removesuffix(",") for line in array[0].splitlines()[1:-1]]
    line = f"[{', '.join(items)}]"
    return line if len(line) <= _LINE else array[0]
