"""The devices and workers of a run."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from kerasrecipes import _workers
from kerasrecipes._devices import device_names
from kerasrecipes.distribute.cluster import resolve_cluster
from kerasrecipes.distribute.strategy import strategy as get_strategy
from kerasrecipes.runs import _display


def chosen(strategy: Any, *, quiet: bool) -> Any:
    """Returns the strategy that a run was given, that of the cluster it is in, or None."""
    if strategy is None:
        if keras.config.backend() != "tensorflow" or resolve_cluster() is None:
            return None
        strategy = "multi_worker"
    return get_strategy(strategy, verbose=not quiet)


def describe(model: keras.Model) -> str:
    """Returns what the model trains on, in words."""
    shown = f"{', '.join(device_names())} ({os.cpu_count()} cores)"
    strategy = getattr(model, "distribute_strategy", None)
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return shown
    where = "on several workers" if _workers.several(strategy) else "on this host"
    return f"{strategy.num_replicas_in_sync} replicas {where}; {shown}"


@contextlib.contextmanager
def writer_only(
    place: str | Path, model: keras.Model, console: Console
) -> Iterator[tuple[str | Path, Console]]:
    """Gives a worker that is not the chief a folder that nobody keeps, and a silent console."""
    if _workers.is_chief(_workers.strategy_of(model)):
        yield place, console
        return
    with tempfile.TemporaryDirectory() as folder:
        yield folder, _display.new_console(quiet=True)
