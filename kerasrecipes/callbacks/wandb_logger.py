"""WandbLogger."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasrecipes._checks import check_choice
from kerasrecipes._export import export
from kerasrecipes.callbacks._logger import Logger


@export("callbacks", saved=False)
class WandbLogger(Logger):
    """Logs each epoch and the recipe's arguments to a Weights & Biases run, offline by default.

    The charts are over "epoch", the number of epochs done. Offline runs lie in `directory/wandb`;
    `wandb sync` uploads them. Each fit is a run of its own; with `Checkpoint` a program that is
    started again goes on with its run (offline in a second folder with the same id, to be uploaded
    with `wandb sync --append`), and logs the epochs again that it repeats. If the program has
    called `wandb.init` itself, its run is used and left open. Needs
    `pip install 'kerasrecipes[wandb]'`.

    It must come after the callbacks that add to the logs, and with `log_model` after those that
    bring the best weights back.

    Args:
        project: Project of the run, or None for the library's default.
        name: Name of the run, or None for one that the library makes up.
        mode: "online", "offline" or "disabled". Defaults to None, the environment variable
            `WANDB_MODE`, else "offline".
        directory: Folder for the files. Defaults to None, the environment variable `WANDB_DIR`,
            else the present one.
        params: More hyperparameters than the recipe's, dict. Defaults to None.
        log_model: Whether to log the model as an artifact at the end. Defaults to False.

    Raises: InputError if the library is not installed.

    Example:
    >>> model.fit(x, y, callbacks=[WandbLogger("digits")])  # doctest: +SKIP
    """

    module = extra = "wandb"

    def __init__(
        self,
        project: str | None = None,
        *,
        name: str | None = None,
        mode: str | None = None,
        directory: str | os.PathLike[str] | None = None,
        params: Mapping[str, Any] | None = None,
        log_model: bool = False,
    ) -> None:
        check_choice("mode", mode, (None, "online", "offline", "disabled"))
        super().__init__(params=params, log_model=log_model)
        self.project, self.name, self.mode, self.directory = project, name, mode, directory

    def _open(self) -> None:
        self._run = self._library.run
        self._is_own = self._run is None
        if self._is_own:
            self._run = self._library.init(
                project=self.project,
                name=self.name,
                mode=self.mode or os.environ.get("WANDB_MODE", "offline"),
                dir=self.directory,
                id=self.run_id,
                resume="allow" if self.run_id else None,
            )
        self._run.config.update(self.hyperparameters(), allow_val_change=True)
        self.run_id = self._run.id

    def _log(self, step: int, values: dict[str, float]) -> None:
        # Not as the library's own step, which cannot go back to an epoch that is repeated.
        for name in values:
            self._run.define_metric(name, step_metric="epoch")
        self._run.log({"epoch": step, **values})

    def _log_model(self, path: Path) -> None:
        self._run.log_artifact(str(path), name=f"model-{self._run.id}", type="model")

    def _close(self, failed: bool) -> None:
        if self._is_own:
            self._run.finish(exit_code=int(failed))
