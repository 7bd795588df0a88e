"""One search in a folder at a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from kerasrecipes._checks import InputError

NAME = "lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Makes the folder of a search, and keeps other processes from searching in it.

    The lock is the operating system's, which takes it away from a process that ends, however that
    happens; the file says nothing. A process that has it may take it again.

    Raises: InputError if another process has it, or if the folder cannot be written to.
    """
    lock = filelock.FileLock(folder / NAME, timeout=0, is_singleton=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise InputError(
            f"`directory` is in use: another process searches in {folder}. Wait for its end, or "
            "give another folder. To train with several processes, give `workers`."
        ) from error
    except OSError as error:
        raise InputError(
            f"`directory` must be a folder that can be written to. {folder}: {error}."
        ) from error
    try:
        yield
    finally:
        lock.release()
