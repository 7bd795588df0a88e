"""A folder of text files with one sub-folder per class."""

from pathlib import Path

import numpy as np

from kerasrecipes._checks import InputError
from kerasrecipes._fingerprint import fingerprint
from kerasrecipes.data.examples import Examples
from kerasrecipes.data.loaders._class_folders import files_of_classes, labels


def load(base: Path, *, path: str) -> Examples:
    """Reads UTF-8 .txt files; the class is the name of the sub-folder."""
    files = files_of_classes(base, path, (".txt",))
    x = np.empty(len(files), dtype=object)
    for row, (file, _) in enumerate(files):
        x[row] = _read(file)
    y = labels(files)
    return Examples(x, y, None, f"texts: {path}", fingerprint(x, y))


def _read(file: Path) -> str:
    try:
        content = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text ({error}). Save it as UTF-8.") from error
    if not content.strip():
        raise InputError(f"{file} holds no text. Fill it in or remove it.")
    return content
