"""Arrays from a NumPy .npz file."""

import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from kerasrecipes._checks import InputError, did_you_mean
from kerasrecipes._fingerprint import fingerprint
from kerasrecipes.data.examples import Examples
from kerasrecipes.data.loaders import _options, _values


def load(base: Path, *, path: str, x: str = "x", y: str | None = None) -> Examples:
    """Reads the arrays named `x` and `y`; without `y`, labels are "y" if the file has it."""
    _options.text("x", x)
    if y is not None:
        _options.text("y", y)
    file = _options.file(base, path)
    # Opened here, because NumPy leaves a damaged file open.
    with file.open("rb") as stream:
        arrays = _open(file, stream)
        if y is None and "y" in arrays:
            y = "y"
        inputs = _values.inputs(x, _array(arrays, x, "x"))
        targets = None if y is None else _values.targets(y, _array(arrays, y, "y"))
    if targets is not None and len(targets) != len(inputs):
        raise InputError(
            f"The arrays of {file} must have one row per example: {x!r} has {len(inputs)} and "
            f"{y!r} has {len(targets)}."
        )
    return Examples(inputs, targets, None, f"npz: {path}", fingerprint(inputs, targets))


def _open(file: Path, stream: BinaryIO) -> Any:
    try:
        arrays = np.load(stream, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{file} is not an .npz file that NumPy can read ({error}). Write it with numpy.savez."
        ) from error
    if isinstance(arrays, np.ndarray):
        raise InputError(f"{file} holds one array (.npy). Write x and y with numpy.savez.")
    return arrays


def _array(arrays: Any, name: str, option: str) -> np.ndarray:
    if name not in arrays:
        held = ", ".join(repr(each) for each in arrays.files)
        raise InputError(
            f"`data.{option}` must name an array of the file: {held}. Received: {name!r}. "
            f"{did_you_mean(name, arrays.files)}".strip()
        )
    try:
        return arrays[name]
    except ValueError as error:
        raise InputError(
            f"Array {name!r} holds Python objects, which are not read because they could run "
            "code. Store numbers or fixed-width texts: `array.astype(float)` or `.astype(str)`."
        ) from error
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise InputError(f"Array {name!r} is damaged ({error}). Write the file anew.") from error
