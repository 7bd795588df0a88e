"""A folder with one sub-folder per class, for images and for texts."""

from pathlib import Path
from typing import Any

import numpy as np

from kerasrecipes._checks import InputError
from kerasrecipes.data.loaders import _options


def files_of_classes(base: Path, path: Any, suffixes: tuple[str, ...]) -> list[tuple[Path, str]]:
    """Returns each file with the name of its class, in order of class and file name."""
    root = _options.folder(base, path)
    entries = _options.visible(root)
    stray = [each.name for each in entries if each.suffix.lower() in suffixes]
    classes = [each for each in entries if each.is_dir()]
    if stray:
        raise InputError(
            f"`data.path` must be a folder with one sub-folder per class. {root} holds "
            f"{stray[0]!r} itself ({len(stray)} such file(s)): move it into its class's folder."
        )
    if len(classes) < 2:
        found = f"only {classes[0].name!r}" if classes else "no sub-folder"
        raise InputError(
            f"`data.path` must be a folder with one sub-folder per class, two at least. "
            f"{root} holds {found}."
        )
    return [(file, each.name) for each in classes for file in _files_of_class(each, suffixes)]


def labels(files: list[tuple[Path, str]]) -> np.ndarray:
    """Returns the class names of the files, an object array of str."""
    return np.array([name for _, name in files], dtype=object)


def _files_of_class(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    files = _options.visible(folder)
    listed = ", ".join(suffixes)
    if not files:
        raise InputError(f"The class folder {folder} is empty: add {listed} files or remove it.")
    for file in files:
        if file.is_dir():
            raise InputError(
                f"The class folder {folder} holds the folder {file.name!r}. `data.path` must be "
                "the folder whose sub-folders are the classes, one level up from the files."
            )
        if file.suffix.lower() not in suffixes:
            raise InputError(
                f"{file} is not one of {listed}. Convert it, or move it out of the class folder."
            )
    return files
