"""Loads the parts that need TensorFlow, without its start-up messages."""

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def quiet_import(module: str) -> ModuleType:
    """Returns a module that imports TensorFlow, and starts TensorFlow's devices.

    A worker of a cluster starts them when it has met the others.

    TensorFlow's native code writes to standard error whatever its log level says, so the file
    descriptor is turned away until the devices are up. What it wrote comes back if that fails.
    Who sets TF_CPP_MIN_LOG_LEVEL sees everything.

    Args:
        module: Full name of the module.
    """
    if _LEVEL in os.environ:
        return importlib.import_module(module)
    os.environ[_LEVEL] = "3"
    with _stderr_held_back():
        loaded = importlib.import_module(module)
        cluster = importlib.import_module("kerasrecipes.distribute.cluster")
        if cluster.resolve_cluster() is None:
            importlib.import_module("kerasrecipes._devices").device_names()
    return loaded


@contextmanager
def _stderr_held_back() -> Iterator[None]:
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
