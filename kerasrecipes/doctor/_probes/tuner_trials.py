"""T1, T4, T7 and T8: how KerasTuner runs a trial."""

import contextlib
import gc
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import keras
import keras_tuner
import numpy as np

from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import X, Y, linear_model

_FIT = {"validation_data": (X, Y), "verbose": 0, "batch_size": 8}


def _build(hp: Any) -> keras.Model:
    return linear_model(keras.optimizers.Adam(hp.Float("learning_rate", 1e-3, 1e-1)))


def _random_search(folder: str, trials: int = 1) -> Any:
    return keras_tuner.RandomSearch(
        _build, "val_loss", max_trials=trials, seed=1, directory=folder, project_name="project"
    )


def tensorboard(tuner: Any = keras_tuner.RandomSearch) -> Seen:
    """A trial where TensorBoard is not installed."""
    hidden = {"tensorboard": None, "tensorboard.plugins.hparams": None}
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(sys.modules, hidden):
        search = tuner(_build, "val_loss", max_trials=1, directory=folder)
        search.search(X, Y, **_FIT)
        (trial,) = search.oracle.trials.values()
    said = str(trial.message).strip().splitlines()[-1:] if trial.status == "FAILED" else []
    return Seen(
        bool(said) and "tensorboard" in said[0],
        f"without TensorBoard a trial ends as {trial.status}{': ' if said else ''}{''.join(said)}",
    )


class _Updates(keras.callbacks.Callback):
    """Notes how many updates the optimizer had made when the second epoch began.

    None is what the probe looks for, so it ends the search then.
    """

    seen: list[int] = []  # of the class, since KerasTuner copies the callback

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            self.seen.append(int(np.array(self.model.optimizer.iterations)))
            if self.seen[-1] == 0:
                raise KeyboardInterrupt


def _hyperband(folder: str, callbacks: Callable[[], Sequence[Any]]) -> None:
    tuner = keras_tuner.Hyperband(
        _build, "val_loss", max_epochs=2, factor=2, seed=1, directory=folder, project_name="project"
    )
    tuner.search(X, Y, callbacks=callbacks(), **_FIT)


def promoted(search: Callable[[str, Callable[[], Sequence[Any]]], Any] = _hyperband) -> Seen:
    """Trials that Hyperband lets go on for a second epoch; the first had two updates."""
    _Updates.seen.clear()
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        search(folder, lambda: [_Updates()])
    fewest = min(_Updates.seen)
    return Seen(fewest == 0, f"a trial that goes on begins at update {fewest} of its optimizer")


class _Count(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.epochs = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs += 1


def copied_callbacks(search: Callable[[str, Any], Any] | None = None) -> Seen:
    """A callback that counts epochs."""
    count = _Count()
    with tempfile.TemporaryDirectory() as folder:
        if search is None:
            _random_search(folder).search(X, Y, callbacks=[count], **_FIT)
        else:
            search(folder, count)
    return Seen(count.epochs == 0, f"a callback has counted {count.epochs} epochs after a search")


def _resident() -> float:
    """Returns the memory of this process in MiB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _trial() -> None:
    keras.backend.clear_session()
    linear_model("adam").fit(X, Y, validation_data=(X, Y), verbose=0)


def lost_memory(trial: Callable[[], None] = _trial) -> Seen:
    """Trains models one after another, as a search does; the first two do not count."""
    grown = []
    for _ in range(5):
        trial()
        gc.collect()
        grown.append(_resident())
    each = (grown[-1] - grown[1]) / 3
    return Seen(each > 0.5, f"each model that was trained and dropped keeps {each:.1f} MiB")
