"""From a recipe file and overrides to a checked `Recipe`. Imports no Keras."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasrecipes import _recipe_files
from kerasrecipes._checks import InputError
from kerasrecipes.runs import schema
from kerasrecipes.runs._lines import key_lines
from kerasrecipes.runs._problems import Places, Problem
from kerasrecipes.runs.schema import Recipe

_BARE_WORD = re.compile(r"(?:[A-Za-z_]|[.~]{0,2}/)[\w./-]*")
_NOT_TOML = {"True": "true", "False": "false"}


def read(
    recipe: str | Path,
    *,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    seed: int | None = None,
) -> Recipe:
    """Returns a recipe file with defaults filled in and overrides applied.

    Args:
        recipe: Name of a shipped recipe, or path to a TOML file.
        overrides: Keys to set, as "fit.epochs=5" with a TOML value, or as a mapping from dotted
            keys to values.
        seed: Replaces the file's seed. Defaults to None.

    Raises:
        RecipeError: With every problem of the file's structure, each with its key and line.

    Example:
    >>> recipe = read("digits-mlp", overrides=["fit.epochs=5"])
    >>> recipe.recipe, recipe.fit["epochs"]
    ('mlp', 5)
    """
    loaded, problems = inspect(recipe, overrides=overrides, seed=seed)
    if problems:
        raise loaded.places.error(problems)
    return loaded


def inspect(
    recipe: str | Path,
    *,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    seed: int | None = None,
) -> tuple[Recipe, list[Problem]]:
    """Returns what `read` returns, and the problems that `read` would raise."""
    path = _recipe_files.find(recipe)
    tables = _recipe_files.read(path)
    pairs, problems = _parse(overrides)
    if seed is not None:
        pairs.append((("seed",), seed))
        if "seed" in tables.get("split", {}):  # as in the resolved recipe of a run
            pairs.append((("split", "seed"), seed))
    overridden = [keys for keys, _ in pairs] + [problem.key for problem in problems]
    for keys, value in pairs:
        problems += _set(tables, keys, value)
    lines = key_lines(_recipe_files.text(path))
    places = Places(path, lines, overridden)
    checked, more = schema.check(tables, path=path, places=places)
    return checked, problems + more


def _parse(
    overrides: Sequence[str] | Mapping[str, Any],
) -> tuple[list[tuple[tuple[str, ...], Any]], list[Problem]]:
    if isinstance(overrides, Mapping):
        return [(tuple(key.split(".")), value) for key, value in overrides.items()], []
    pairs, problems = [], []
    for override in overrides:
        key, equals, value = override.partition("=")
        keys = tuple(part.strip() for part in key.split(".")) if key else ()
        try:
            if not equals or not keys or not all(keys):
                raise InputError(f"an override must read key=value. Received: {override!r}.")
            pairs.append((keys, toml_value(value.strip())))
        except InputError as error:
            problems.append(Problem(keys, str(error)))
    return pairs, problems


def apply(tables: dict[str, Any], overrides: Sequence[str] | Mapping[str, Any]) -> list[Problem]:
    """Sets the keys of `overrides` in `tables`; returns what is wrong with them."""
    pairs, problems = _parse(overrides)
    for keys, value in pairs:
        problems += _set(tables, keys, value)
    return problems


def toml_value(text: str) -> Any:
    """Returns the value that `text` writes in TOML; a bare word is a string.

    Example:
    >>> toml_value("[64, 64]"), toml_value("1e-3"), toml_value("selu"), toml_value("true")
    ([64, 64], 0.001, 'selu', True)
    """
    if text in _NOT_TOML:
        raise InputError(f"TOML writes {_NOT_TOML[text]}, not {text}.")
    try:
        tables = tomllib.loads(f"value = {text}\n")
    except tomllib.TOMLDecodeError:
        tables = {}
    if tables.keys() == {"value"}:
        return tables["value"]
    if _BARE_WORD.fullmatch(text):
        return text
    raise InputError(f'{text!r} is not a TOML value, such as 3, 0.1, true, "text" or [64, 64].')


def _set(tables: dict[str, Any], keys: tuple[str, ...], value: Any) -> list[Problem]:
    table = tables
    for depth, key in enumerate(keys[:-1]):
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            return [Problem(keys, f"{'.'.join(keys[: depth + 1])} is not a table.")]
    table[keys[-1]] = value
    return []
