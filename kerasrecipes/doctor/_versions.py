"""Versions and memory, as far as they are known without TensorFlow."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess

_PACKAGES = ("tensorflow", "keras", "backend", "keras-tuner", "numpy", "kerasrecipes")
_EXTRA = re.compile(r"([\w.-]+).*extra == ['\"](\w+)['\"]")
_FOR_DEVELOPERS = ("test", "dev", "docs")


def versions() -> dict[str, str | None]:
    """Returns versions by name, those of optional dependencies at the end; None if missing."""
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    found |= {name: _version(name) for name in _PACKAGES}
    return found | {f"{name} (optional)": _version(name) for name in _optional()}


def memory() -> int | None:
    """Returns the bytes of memory of this machine, where the system tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def gpu_memory() -> list[int]:
    """Returns the bytes of memory of each GPU that `nvidia-smi` lists."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [int(line) * 2**20 for line in told.stdout.split() if line.isdigit()]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _optional() -> list[str]:
    """Returns what the extras of this package ask for, in alphabetical order."""
    required = importlib.metadata.requires("kerasrecipes") or []
    found = [match.groups() for match in map(_EXTRA.match, required) if match]
    return sorted(
        {name for name, extra in found if extra not in _FOR_DEVELOPERS} - {"kerasrecipes"}
    )
