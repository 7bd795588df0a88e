"""Numbered folders, each of which holds one state of a training, whole or not at all."""

import dataclasses
import hashlib
import io
import json
import re
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import filelock
import ml_dtypes  # noqa: F401  (makes NumPy know the name "bfloat16")
import numpy as np

from kerasrecipes._atomic import atomic_folder
from kerasrecipes._checks import InputError

_NAME = re.compile(r"generation-(\d+)")
_STATE, _ARRAYS, _SUMS = "state.json", "arrays.npz", "SHA256SUMS"
_BITS = {1: "uint8", 2: "uint16"}
"""How npz stores the types that it does not know: bfloat16 and those of 8 bits."""


@dataclasses.dataclass(frozen=True)
class Generation:
    """One state that was written, and where."""

    path: Path
    state: dict[str, Any]

    def packed(self) -> bytes:
        """Returns the generation as bytes, for workers that do not see the folder."""
        arrays: list[np.ndarray] = []
        text = json.dumps({"path": str(self.path), "state": _pack(self.state, arrays)})
        file = io.BytesIO()
        np.savez(file, *arrays, text=np.array(text))
        return file.getvalue()

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """Returns the generation that `packed` gave."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            found = json.loads(arrays["text"].item())
            return cls(Path(found["path"]), _unpack(found["state"], arrays))


class Generations:
    """The generations in a folder, of which the newest `keep` stay.

    A generation is a folder of three files: the state as JSON, its arrays as npz, and the SHA-256
    of both. It is written under another name, synced, and renamed.

    Args:
        directory: Folder of the generations, created if it is missing.
        keep: How many stay, int >= 1.
    """

    def __init__(self, directory: Path, keep: int) -> None:
        self.directory = directory
        self.keep = keep
        self._lock = filelock.FileLock(directory / "lock", timeout=0, is_singleton=True)

    def open(self) -> None:
        """Locks the folder, and removes what a killed run left half-written.

        Raises: InputError if another run has it, or if it cannot be written to.
        """
        if self._lock.is_locked:
            return
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except filelock.Timeout as error:
            raise InputError(
                f"The checkpoint folder {self.directory} is in use by another run. Wait for its "
                "end, or give each run a folder of its own."
            ) from error
        except OSError as error:
            raise InputError(
                f"The checkpoint folder {self.directory} cannot be written to: {error}. "
                "Choose another folder, or give yourself the permission."
            ) from error
        for leftover in self.directory.glob(".generation-*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def close(self) -> None:
        """Unlocks the folder."""
        self._lock.release(force=True)

    def write(self, state: Mapping[str, Any]) -> None:
        """Writes a new generation, and removes the oldest.

        Args:
            state: JSON values and NumPy arrays, in dicts and lists.
        """
        arrays: list[np.ndarray] = []
        text = json.dumps(_pack(state, arrays), indent=1)
        number = max(self._numbers(), default=-1) + 1
        with atomic_folder(self._path(number)) as folder:
            (folder / _STATE).write_text(text, encoding="utf-8")
            np.savez(folder / _ARRAYS, *arrays)
            sums = _sum(folder / _STATE) + _sum(folder / _ARRAYS)
            (folder / _SUMS).write_text(sums, encoding="utf-8")
        for old in sorted(self._numbers())[: -self.keep]:
            self._remove(self._path(old))

    def newest(self) -> Generation | None:
        """Returns the newest whole generation, or None; damaged ones are set aside and named."""
        for number in sorted(self._numbers(), reverse=True):
            path = self._path(number)
            try:
                return Generation(path, _read(path))
            except (OSError, ValueError, KeyError) as error:
                self._set_aside(path, error)
        return None

    def _numbers(self) -> list[int]:
        found = (_NAME.fullmatch(path.name) for path in self.directory.iterdir())
        return [int(match[1]) for match in found if match]

    def _path(self, number: int) -> Path:
        return self.directory / f"generation-{number:08d}"

    def _remove(self, path: Path) -> None:
        doomed = path.rename(path.with_name(f".{path.name}-old"))
        shutil.rmtree(doomed, ignore_errors=True)

    def _set_aside(self, path: Path, error: Exception) -> None:
        count = len(list(self.directory.glob(f"damaged-{path.name}*")))
        aside = path.rename(path.with_name(f"damaged-{path.name}" + f"-{count}" * (count > 0)))
        warnings.warn(
            f"The checkpoint {path} is damaged ({error}). It is now {aside.name}, and the one "
            "before it is used.",
            stacklevel=2,
        )


def _sum(path: Path) -> str:
    """Returns the line for a file as `sha256sum` writes and checks it."""
    with path.open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n"


def _read(path: Path) -> dict[str, Any]:
    written = (path / _SUMS).read_text(encoding="utf-8")
    for name in (_STATE, _ARRAYS):
        if _sum(path / name) not in written:
            raise ValueError(f"{name} is not what was written")
    packed = json.loads((path / _STATE).read_text(encoding="utf-8"))
    with np.load(path / _ARRAYS, allow_pickle=False) as arrays:
        return _unpack(packed, arrays)


def _pack(value: Any, arrays: list[np.ndarray]) -> Any:
    """Returns `value` with a note in the place of each array, which goes to `arrays`."""
    if isinstance(value, Mapping):
        return {name: _pack(item, arrays) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_pack(item, arrays) for item in value]
    if not isinstance(value, np.ndarray):
        return value
    known = value.dtype.kind in "biufc?"
    arrays.append(value if known else value.view(_BITS[value.dtype.itemsize]))
    return {"__array__": len(arrays) - 1, "dtype": value.dtype.name}


def _unpack(value: Any, arrays: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"__array__", "dtype"}:
        return arrays[f"arr_{value['__array__']}"].view(np.dtype(value["dtype"]))
    return {name: _unpack(item, arrays) for name, item in value.items()}
