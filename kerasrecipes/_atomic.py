"""Files and folders that are written whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, which takes its place once it is written.

    The file reaches the disk before it gets its name, so that a crash at any moment leaves
    either the whole file or none. The temporary name keeps the suffix, which `Model.save` needs.

    Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "notes.txt"
    >>> with atomic(path) as temporary:
    ...     _ = temporary.write_text("done")
    >>> path.read_text()
    'done'
    """
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        _flush(temporary, os.O_RDWR)
        os.replace(temporary, path)
        _flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yields a temporary folder beside `path`, which gets that name once it is written.

    Args:
        path: The folder.
        replace: Whether a folder that has the name already is replaced; else an OSError says that
            it is there. Defaults to False.

    Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "new"
    >>> with atomic_folder(path) as temporary:
    ...     _ = (temporary / "notes.txt").write_text("done")
    >>> [each.name for each in path.iterdir()]
    ['notes.txt']
    """
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    temporary.mkdir()
    try:
        yield temporary
        for each in [*temporary.rglob("*"), temporary]:
            if each.is_dir():
                _flush_folder(each)
            else:
                _flush(each, os.O_RDWR)
        with _out_of_the_way(path) if replace else nullcontext():
            os.rename(temporary, path)
        _flush_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _out_of_the_way(path: Path) -> Iterator[None]:
    """Moves what has the name aside; removes it once another has the name, else brings it back."""
    if not path.exists():
        yield
        return
    aside = path.with_name(f".{path.name}-{os.getpid()}-old")
    os.rename(path, aside)
    try:
        yield
    except OSError:
        os.rename(aside, path)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _flush(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(path: Path) -> None:
    if os.name == "posix":
        _flush(path, os.O_RDONLY)
