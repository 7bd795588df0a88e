"""Where each key of a TOML text stands."""

import tomllib
from typing import Any


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    r"""Returns the line, counted from 1, on which each key path of a valid TOML text is set.

    The text is parsed line by line: a statement ends at the first line with which it parses, and
    what it added belongs to the line on which it began. So strings and arrays over several
    lines, dotted keys and inline tables need no second parser.

    Example:
    >>> key_lines("seed = 1\n[fit]\nepochs = 5\n")
    {('seed',): 1, ('fit',): 2, ('fit', 'epochs'): 3}
    """
    lines = text.splitlines(keepends=True)
    found: dict[tuple[str, ...], int] = {}
    begin, head = 0, ""
    for end in range(1, len(lines) + 1):
        statement = "".join(lines[begin:end])
        tables = _parse(head + statement)
        if tables is None:
            continue
        for path in _paths(tables):
            found.setdefault(path, begin + 1)
        head, begin = head + statement, end
    return found


def _parse(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _paths(tables: dict[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    paths = []
    for key, value in tables.items():
        paths.append((*prefix, key))
        if isinstance(value, dict):
            paths += _paths(value, (*prefix, key))
    return paths
