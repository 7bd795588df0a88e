"""Progress."""

import time
from collections.abc import Mapping
from typing import Any

import keras
from rich.console import Console

from kerasrecipes._export import export
from kerasrecipes.callbacks._logs import scalars
from kerasrecipes.callbacks.callback import Callback


@export("callbacks", saved=False)
class Progress(Callback):
    """Prints one line for each epoch: metrics, gradient norm, rate, seconds.

    A star marks the epochs in which `EarlyStopping` saw a new best. It also says where `Checkpoint`
    goes on from, why training ended, and which epoch's weights are back. Call `fit` with
    `verbose=0`: beside Keras's own bar there are no lines for epochs.

    Args:
        console: `rich` console to print on. Defaults to None, standard output.

    Example:
    >>> import io
    >>> from rich.console import Console
    >>> progress = Progress(console=Console(file=io.StringIO(), width=80))
    >>> progress.set_params({"epochs": 12})
    >>> progress.on_epoch_begin(2)
    >>> progress.on_epoch_end(2, {"loss": 0.5, "val_loss": 0.75})
    >>> progress.console.file.getvalue().startswith("epoch  3/12  loss 0.5000  val_loss 0.7500")
    True
    """

    def __init__(self, *, console: Console | None = None) -> None:
        super().__init__()
        # Printed in notebooks too, where `rich` would display each line as a block of its own.
        self.console = console or Console(highlight=False, soft_wrap=True, force_jupyter=False)
        self._stopping: Any = None
        self._has_bar = False
        self._began = 0.0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Looks for the callback that knows the best epoch."""
        others = self.siblings()
        self._stopping = next((each for each in others if hasattr(each, "best_epoch")), None)
        self._has_bar = any(isinstance(each, keras.callbacks.ProgbarLogger) for each in others)
        for each in others:
            if getattr(each, "resumed", None) is not None:
                self._say(_place(each, self.params["epochs"]))

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Prints the line."""
        if self._has_bar or not self.is_writer:
            return
        seconds = time.perf_counter() - self._began
        epochs = str(self.params.get("epochs", "?"))
        parts = [f"epoch {epoch + 1:>{len(epochs)}}/{epochs}"]
        parts += [f"{name} {_short(name, value)}" for name, value in _ordered(scalars(logs))]
        star = " [green]*[/]" if getattr(self._stopping, "best_epoch", None) == epoch else ""
        self.console.print("  ".join([*parts, f"{seconds:.1f}s"]) + star)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Prints why training ended, and what it ended with."""
        reasons = [getattr(each, "reason", "") for each in self.siblings()]
        stops = [getattr(each, "stopped_epoch", None) is not None for each in self.siblings()]
        said = next((why for why, did in zip(reasons, stops, strict=True) if did), None)
        if any(getattr(each, "interrupted", False) for each in self.siblings()):
            said = "interrupted, or out of time"
        elif said is None:
            return
        best = getattr(self._stopping, "best_epoch", None)
        if best is not None and self._stopping.restore_best_weights:
            said += f"; the weights of epoch {best + 1} are back"
        self._say(said)

    def _say(self, text: str) -> None:
        if self.is_writer:
            self.console.print(text, markup=False)


def _place(checkpoint: Any, epochs: int) -> str:
    """Returns where a training goes on from, in words."""
    epoch, step = checkpoint.resumed
    if checkpoint.is_complete or epoch >= epochs:
        return (
            f"{checkpoint.directory} has this training complete, with {epoch} epochs: nothing is "
            "trained. Another folder, or more epochs, would be."
        )
    where = f"step {step} of epoch {epoch + 1}" if step else f"epoch {epoch}"
    return f"{checkpoint.directory}: goes on after {where}"


def _ordered(logs: Mapping[str, float]) -> list[tuple[str, float]]:
    """Puts the loss first, the validation metrics next, and the rate last."""
    rank = {"loss": 0, "penalty": 3, "gradient_norm": 4, "learning_rate": 5}
    names = sorted(logs, key=lambda name: rank.get(name, 2 if name.startswith("val_") else 1))
    shown = [name for name in names if name not in _HIDDEN and "/" not in name]  # of one layer
    return [(_NAMES.get(name, name), logs[name]) for name in shown]


_NAMES = {"learning_rate": "lr", "gradient_norm": "grad"}
_COUNTS = ("skipped_updates", "skipped_spikes")
_HIDDEN = ("clipped_fraction", "update_ratio")


def _short(name: str, value: float) -> str:
    if name in _COUNTS:
        return f"{value:.0f}"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3g}"
