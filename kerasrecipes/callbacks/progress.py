"""Progress."""

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from kerasrecipes._export import export
from kerasrecipes.callbacks.callback import Callback


@export("callbacks", saved=False)
class Progress(Callback):
    """Prints one line for each epoch: metrics, gradient norm, rate, seconds.

    Call `fit` with `verbose=0`, or Keras prints its own bar as well. In a terminal and a notebook
    a star marks the epochs in which `EarlyStopping` saw a new best.

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
        self._began = 0.0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Looks for the callback that knows the best epoch."""
        known = (each for each in self.siblings() if hasattr(each, "best_epoch"))
        self._stopping = next(known, None)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Prints the line."""
        seconds = time.perf_counter() - self._began
        epochs = str(self.params.get("epochs", "?"))
        parts = [f"epoch {epoch + 1:>{len(epochs)}}/{epochs}"]
        parts += [f"{name} {_short(value)}" for name, value in _ordered(logs or {})]
        star = " [green]*[/]" if getattr(self._stopping, "best_epoch", None) == epoch else ""
        self.console.print("  ".join([*parts, f"{seconds:.1f}s"]) + star)


def _ordered(logs: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Puts the loss first, the validation metrics next, and the rate last."""
    rank = {"loss": 0, "penalty": 3, "gradient_norm": 4, "learning_rate": 5}
    names = sorted(logs, key=lambda name: rank.get(name, 2 if name.startswith("val_") else 1))
    return [(_NAMES.get(name, name), float(logs[name])) for name in names if name not in _HIDDEN]


_NAMES = {"learning_rate": "lr", "gradient_norm": "grad"}
_HIDDEN = ("clipped_fraction", "update_ratio")


def _short(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3g}"
