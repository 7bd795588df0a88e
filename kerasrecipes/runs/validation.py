"""Checks a recipe file without training."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from kerasrecipes.runs._problems import Problem
from kerasrecipes.runs.load import inspect
from kerasrecipes.runs.prepare import Prepared, check_signature, prepare
from kerasrecipes.runs.schema import Recipe


def validate(
    recipe: str | Path,
    *,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    data: bool = True,
) -> Recipe:
    """Checks everything in a recipe file that can be wrong, and trains nothing.

    Keys and types are checked, every argument of [model] is bound to the recipe's signature, the
    space that [tune] describes is made, the data are read, checked and split, and the model is
    built once.

    Args:
        recipe: Name of a shipped recipe, or path to a TOML file.
        overrides: Keys to set first, as for `train`. Defaults to none.
        data: Whether to read the data and build the model too. Without, only names, types, the
            signature and the target are checked. Defaults to True.

    Returns:
        The recipe with defaults filled in; with `data`, as a run would resolve it.

    Raises:
        RecipeError: With all problems at once, each with its key and line.

    Example:
    >>> validate("iris-mlp", overrides={"model.hiden": [8]}, data=False)
    Traceback (most recent call last):
    ...
    kerasrecipes.runs._problems.RecipeError: 1 problem in ...iris-mlp.toml:
      model.hiden (override): is not an argument of the recipe 'mlp'. Did you mean 'hidden'?
    """
    checked, problems = inspect(recipe, overrides=overrides)
    if checked.tune:
        problems = [*problems, *_space().space_problems(checked)]
    if not data:
        check_signature(checked, problems)
        return checked
    prepared = prepare(checked, problems)
    if checked.tune:
        _check_search(checked, prepared)
    return prepared.recipe


def _check_search(recipe: Recipe, prepared: Prepared) -> None:
    problems: list[Problem] = []
    target = prepared.rows.target
    _space().check_metric(recipe, target, problems)
    _space().search_space(recipe, target, problems)
    if problems:
        raise recipe.places.error(problems)


def _space() -> ModuleType:
    """Returns a module that loads KerasTuner, which files without [tune] need not wait for."""
    return importlib.import_module("kerasrecipes.runs._space")
