"""The trained network that a recipe file names."""

import dataclasses
from pathlib import Path
from typing import Any

from kerasrecipes import _run_files
from kerasrecipes.runs.schema import Recipe

_PATHS = ("backbone", "weights")


def located(recipe: Recipe) -> Recipe:
    """Returns a recipe with absolute paths for files that are found from its own file.

    The folder of a run stands for the model in it.
    """
    found = {key: _file(recipe.path.parent, recipe.model.get(key)) for key in _PATHS}
    found = {key: str(path) for key, path in found.items() if path is not None}
    return dataclasses.replace(recipe, model={**recipe.model, **found})


def _file(base: Path, value: Any) -> Path | None:
    if not isinstance(value, str) or not value:
        return None
    for path in (base / value, Path(value)):
        path = path.expanduser()
        path = path / _run_files.MODEL if path.is_dir() else path
        if path.is_file():
            return path.resolve()
    return None
