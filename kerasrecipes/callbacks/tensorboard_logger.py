"""TensorBoardLogger."""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasrecipes._checks import fail
from kerasrecipes._export import export
from kerasrecipes.callbacks._logger import Logger


@export("callbacks", saved=False)
class TensorBoardLogger(Logger):
    """Logs each epoch and the recipe's arguments to a folder for TensorBoard.

    The entries stand under the names that `keras.callbacks.TensorBoard` gives them ("epoch_loss")
    in the same subfolders, train and validation. Everything in the logs is there, such as the rate
    and the gradient norm; the hyperparameters fill the HParams page. The step is the number of
    epochs done (Keras counts from 0), also in a fit that goes on: a program that `Checkpoint`
    continues, or that begins at `initial_epoch`, adds to the same curves. No batch has to wait for
    it; for values per batch, histograms, graphs and profiles use `keras.callbacks.TensorBoard`.
    Needs `pip install 'kerasrecipes[tensorboard]'`.

    It must come after the callbacks that add to the logs.

    Args:
        log_dir: Folder of this run; a folder per run lets TensorBoard compare them. Defaults to
            "logs".
        params: More hyperparameters than the recipe's, dict. Defaults to None.

    Raises: InputError if the library is not installed.

    Example:
    >>> model.fit(x, y, callbacks=[TensorBoardLogger("logs/first")])  # doctest: +SKIP
    """

    module = "tensorboard.plugins.hparams.api"
    extra = "tensorboard"
    state = ()

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        *,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(log_dir, (str, os.PathLike)):
            fail("log_dir", "the path of a folder", log_dir)
        super().__init__(params=params)
        self.log_dir = Path(log_dir).expanduser()
        # Not at the top: under the other backends nothing else needs TensorFlow here.
        self._summary = importlib.import_module("tensorflow").summary

    def _open(self) -> None:
        self._writers: dict[str, Any] = {}
        with self._writer(".").as_default(step=0):
            self._library.hparams(self.hyperparameters(), trial_id=str(self.log_dir))

    def _writer(self, part: str) -> Any:
        if part not in self._writers:
            self._writers[part] = self._summary.create_file_writer(str(self.log_dir / part))
        return self._writers[part]

    def _log(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            part = "validation" if name.startswith("val_") else "train"
            with self._writer(part).as_default(step=step):
                self._summary.scalar(f"epoch_{name.removeprefix('val_')}", value)
        for writer in self._writers.values():
            writer.flush()

    def _close(self, failed: bool) -> None:
        for writer in self._writers.values():
            writer.close()
