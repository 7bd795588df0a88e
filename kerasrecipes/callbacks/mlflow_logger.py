"""MLflowLogger."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasrecipes._checks import InputError, fail
from kerasrecipes._export import export
from kerasrecipes.callbacks._logger import Logger


@export("callbacks", saved=False)
class MLflowLogger(Logger):
    """Logs each epoch and the recipe's arguments to an MLflow run, in a local database by default.

    The step is the number of epochs done. Each fit is a run of its own; with `Checkpoint` a
    program that is started again goes on with its run, and skips epochs that it has. If the
    program has called `mlflow.start_run` itself, its run is used and left open. A fit that ends in
    an exception leaves a failed run (with recipe models, which call `close`). Needs
    `pip install 'kerasrecipes[mlflow]'`, which is enough to log; `mlflow ui`, which shows the
    runs, comes with `pip install mlflow`.

    It must come after the callbacks that add to the logs, and with `log_model` after those that
    bring the best weights back.

    Args:
        experiment: Name of the experiment; created if it is missing. Defaults to "kerasrecipes".
        name: Name of the run, or None for one that the library makes up.
        tracking_uri: Where the runs are kept, such as "sqlite:///mlflow.db" or the address of a
            server. Defaults to None, the environment variable `MLFLOW_TRACKING_URI`, else
            "sqlite:///mlflow.db".
        params: More hyperparameters than the recipe's, dict. Defaults to None.
        log_model: Whether to log the model file at the end. Defaults to False.

    Raises: InputError if the library is not installed, or before training if the runs cannot be
        reached.

    Example:
    >>> model.fit(x, y, callbacks=[MLflowLogger("digits")])  # doctest: +SKIP
    """

    module = extra = "mlflow"

    def __init__(
        self,
        experiment: str = "kerasrecipes",
        *,
        name: str | None = None,
        tracking_uri: str | None = None,
        params: Mapping[str, Any] | None = None,
        log_model: bool = False,
    ) -> None:
        if not isinstance(experiment, str) or not experiment:
            fail("experiment", "the name of an experiment", experiment)
        super().__init__(params=params, log_model=log_model)
        self.experiment, self.name, self.tracking_uri = experiment, name, tracking_uri

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Forgets the last run, and makes sure before training that runs can be kept."""
        super().on_train_begin(logs)
        if not self.is_writer:
            return
        self._is_own = self._library.active_run() is None
        uri = self.tracking_uri if self._is_own else None
        try:
            self._client = self._library.MlflowClient(uri)
            self._client.get_experiment_by_name(self.experiment)
        except Exception as error:
            raise InputError(
                f"`tracking_uri={uri!r}` cannot be reached: {error}. Start the server, or name a "
                "local database such as 'sqlite:///mlflow.db'."
            ) from error

    def _open(self) -> None:
        active = None if self._is_own else self._library.active_run()
        if active is not None:
            self.run_id = active.info.run_id
        if self.run_id is None:
            run = self._client.create_run(self._experiment_id(), run_name=self.name)
            self.run_id = run.info.run_id
        elif self._is_own:
            self._client.update_run(self.run_id, status="RUNNING")
        self._last_step = self._steps_logged()
        if not self._last_step:
            self._log_params()

    def _experiment_id(self) -> str:
        found = self._client.get_experiment_by_name(self.experiment)
        return found.experiment_id if found else self._client.create_experiment(self.experiment)

    def _steps_logged(self) -> int:
        if "loss" not in self._client.get_run(self.run_id).data.metrics:
            return 0
        return max(each.step for each in self._client.get_metric_history(self.run_id, "loss"))

    def _log_params(self) -> None:
        entities = self._library.entities
        params = [entities.Param(name, str(v)) for name, v in self.hyperparameters().items()]
        self._client.log_batch(self.run_id, params=params)

    def _log(self, step: int, values: dict[str, float]) -> None:
        if step < self._last_step:
            return  # A run that is continued repeats epochs; the last one may have been cut short.
        entities, now = self._library.entities, int(time.time() * 1000)
        metrics = [entities.Metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self.run_id, metrics=metrics)

    def _log_model(self, path: Path) -> None:
        self._client.log_artifact(self.run_id, str(path))

    def _close(self, failed: bool) -> None:
        if self._is_own:
            self._client.set_terminated(self.run_id, "FAILED" if failed else "FINISHED")
