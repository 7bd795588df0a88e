"""R2: a training that goes on after a crash."""

import tempfile
from typing import Any

import keras

from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import Script, X, Y, linear_model

_LOSSES = [3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]


class _Crash(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 3:
            raise RuntimeError("on purpose")


def _keras_backup(folder: str) -> Any:
    return keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False)


def patience(
    backup: Any = _keras_backup,
    early_stopping: Any = keras.callbacks.EarlyStopping,
    model: Any = linear_model,
) -> Seen:
    """A crash in epoch 4; with patience 3 the training has to end after epoch 5."""
    with tempfile.TemporaryDirectory() as folder:

        def train(*more: Any) -> Any:
            callbacks = [backup(folder), Script(_LOSSES), early_stopping(patience=3), *more]
            return model().fit(
                X, Y, validation_data=(X, Y), epochs=8, shuffle=False, verbose=0,
                callbacks=callbacks,
            )  # fmt: skip

        try:
            train(_Crash())
        except RuntimeError:
            pass
        last = train().epoch[-1] + 1
    return Seen(last != 5, f"early stopping, restarted in epoch 4, ended at epoch {last}, not 5")
