"""Finds the recipe files that come with the package. Imports no Keras, so it is fast."""

import importlib.resources
import tomllib
from pathlib import Path
from typing import Any

from kerasrecipes._checks import InputError, did_you_mean


def folder() -> Path:
    """Returns the folder of shipped recipe files: in the installed package, or in the checkout."""
    package = Path(str(importlib.resources.files("kerasrecipes")))
    installed = package / "recipe_files"
    return installed if installed.is_dir() else package.parent / "recipes"


def shipped() -> dict[str, Path]:
    """Returns the shipped recipe files by name, which is the file's stem, in order."""
    return {path.stem: path for path in sorted(folder().rglob("*.toml"), key=lambda p: p.stem)}


def find(name: str | Path) -> Path:
    """Returns the file of a shipped recipe's name, or of a path to a TOML file.

    Example:
    >>> find("digits-mlp").name
    'digits-mlp.toml'
    """
    known = shipped()
    if str(name) in known:
        return known[str(name)]
    path = Path(name).expanduser()
    if path.is_file():
        return path
    raise InputError(_not_found(name, path, list(known)))


def summary(path: Path) -> str:
    """Returns the file's one-line summary."""
    return str(read(path).get("summary", ""))


def read(path: Path) -> dict[str, Any]:
    """Returns the tables of a TOML file; a file that is not TOML is an `InputError`."""
    try:
        return tomllib.loads(text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from error


def text(path: Path) -> str:
    """Returns a recipe file's text; one that cannot be read as UTF-8 is an `InputError`."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not valid TOML: it is not UTF-8 text ({error}).") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def _not_found(name: str | Path, path: Path, known: list[str]) -> str:
    if path.is_dir():
        return f"{name} is a folder. Give the TOML file in it, or the name of a shipped recipe."
    if path.suffix == ".toml" or len(path.parts) > 1:
        return f"There is no recipe file {name}."
    hint = did_you_mean(name, known) or f"Shipped are {', '.join(known)}."
    return f"There is no recipe named {str(name)!r}, and no such file. {hint}"
