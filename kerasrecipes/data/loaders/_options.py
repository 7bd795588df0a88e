"""Checks of the options in a [data] table, shared by the loaders."""

import difflib
from pathlib import Path
from typing import Any

from kerasrecipes._checks import InputError, fail

HIDDEN = ("thumbs.db", "desktop.ini")


def text(option: str, value: Any) -> str:
    """Returns `value`, a str that is not empty."""
    if not isinstance(value, str) or not value:
        fail(f"data.{option}", "a text that is not empty", value)
    return value


def texts(option: str, value: Any) -> list[str]:
    """Returns `value`, a list of str, each named once."""
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        fail(f"data.{option}", "a list of texts", value)
    names = [text(f"{option}[{i}]", each) for i, each in enumerate(value)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        fail(f"data.{option}", "a list that names each once", twice[0], "It is there twice.")
    return names


def flag(option: str, value: Any) -> bool:
    """Returns `value`, true or false."""
    if not isinstance(value, bool):
        fail(f"data.{option}", "true or false", value)
    return value


def file(base: Path, path: Any) -> Path:
    """Returns the absolute path of a file that is there and not empty."""
    found = _absolute(base, path)
    if not found.exists():
        raise InputError(f"`data.path` names no file: {found}. {_near(found)}".strip())
    if not found.is_file():
        raise InputError(f"`data.path` must name a file. Received a folder: {found}.")
    if found.stat().st_size == 0:
        raise InputError(f"`data.path` names an empty file: {found}.")
    return found


def folder(base: Path, path: Any) -> Path:
    """Returns the absolute path of a folder that is there."""
    found = _absolute(base, path)
    if not found.exists():
        raise InputError(f"`data.path` names no folder: {found}. {_near(found)}".strip())
    if not found.is_dir():
        raise InputError(f"`data.path` must name a folder. Received a file: {found}.")
    return found


def visible(entries: Path) -> list[Path]:
    """Returns what a folder holds, by name, without hidden files."""
    return sorted(
        each
        for each in entries.iterdir()
        if not each.name.startswith(".") and each.name.lower() not in HIDDEN
    )


def _absolute(base: Path, path: Any) -> Path:
    if isinstance(path, Path):
        path = str(path)
    return (base / Path(text("path", path)).expanduser()).resolve()


def _near(missing: Path) -> str:
    parent = missing.parent
    if not parent.exists():
        return f"The folder {parent} is not there either."
    names = [each.name for each in parent.iterdir() if not each.name.startswith(".")]
    near = difflib.get_close_matches(missing.name, names, n=3, cutoff=0.5)
    if near:
        return f"Did you mean {' or '.join(repr(name) for name in near)}?"
    shown = ", ".join(sorted(names)[:10])
    return f"The folder holds: {shown}." if names else "The folder is empty."
