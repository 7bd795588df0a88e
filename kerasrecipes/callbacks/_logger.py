"""What the adapters to experiment trackers share."""

import importlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from kerasrecipes._checks import InputError, check_choice, fail
from kerasrecipes.callbacks._logs import scalars
from kerasrecipes.callbacks.callback import Callback


class Logger(Callback):
    """Base of the adapters: opens a run, logs each epoch to it, and closes it.

    The run is opened when the first epoch ends, since only then is it certain which run
    `Checkpoint` continues. A subclass says how, in `_open`, `_log`, `_log_model` and `_close`.

    Args:
        params: More hyperparameters to log than the recipe's, or None.
        log_model: Whether to log the model at the end.
    """

    module: ClassVar[str]
    extra: ClassVar[str]
    state = ("run_id",)

    def __init__(self, *, params: Mapping[str, Any] | None, log_model: bool = False) -> None:
        super().__init__()
        if params is not None and not isinstance(params, Mapping):
            fail("params", "a dict or None", params)
        self.params_given = dict(params or {})
        self.log_model = check_choice("log_model", log_model, (True, False))
        self.run_id: str | None = None
        self._is_open = False
        self._library = _import(self.module, self.extra, type(self).__name__)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Forgets the last run."""
        self.close()
        self.run_id = None

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Logs the epoch, which is step `epoch + 1`, to the run; of several workers the chief."""
        if not self.is_writer:
            return
        if not self._is_open:
            self._open()
            self._is_open = True
        self._log(epoch + 1, scalars(logs))

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Logs the model if that is asked for, and ends the run."""
        if self._is_open and self.log_model:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.keras"
                self.model.save(path)
                self._log_model(path)
        self._end(failed=False)

    def close(self) -> None:
        """Ends the run as a failed one, if the fit ended in an exception."""
        self._end(failed=True)

    def _end(self, *, failed: bool) -> None:
        if self._is_open:
            self._is_open = False
            self._close(failed)

    def hyperparameters(self) -> dict[str, Any]:
        """Returns what the model was made with, and the caller's `params`, as plain values."""
        call = getattr(self.model, "recipe", None)
        made = {} if call is None else {"recipe": call.name, **call.arguments}
        found = {
            "optimizer": type(self.model.optimizer).__name__,
            "parameters": self.model.count_params(),
            "epochs": self.params.get("epochs"),
            **made,
            **self.params_given,
        }
        return {name: _plain(value) for name, value in found.items()}

    def _open(self) -> None:
        """Opens the run `self.run_id`, or a new one, whose id it notes there."""
        raise NotImplementedError

    def _log(self, step: int, values: dict[str, float]) -> None:
        raise NotImplementedError

    def _log_model(self, path: Path) -> None:
        raise NotImplementedError

    def _close(self, failed: bool) -> None:
        raise NotImplementedError


def _import(module: str, extra: str, name: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"{name} needs the package {module.split('.')[0]!r}, which is not installed or does "
            f"not import ({error}). Install it with `pip install 'kerasrecipes[{extra}]'`."
        ) from error


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str)) else str(value)
