"""What the monitors of layers share."""

from collections.abc import Mapping
from typing import Any

from kerasrecipes._checks import check_int
from kerasrecipes.callbacks.callback import Callback


class LayerMonitor(Callback):
    """Watches the layers of a model while it trains, and adds what was seen to an epoch's logs.

    Subclasses set `_watch` and `layers` in `on_train_begin`; a watch has `begin`, `means`,
    `variables`, `load` and `detach`.

    Args:
        every: Updates from one sample to the next, int >= 1.

    Attributes:
        layers: Names of the layers that are looked at, in the order of the model.
    """

    state = ("seen",)
    _watch: Any = None

    def __init__(self, *, every: int = 10) -> None:
        super().__init__()
        self.every = check_int("every", every, low=1)
        self.layers: tuple[str, ...] = ()

    @property
    def seen(self) -> dict[str, Any]:
        """What has been seen in this epoch."""
        return {} if self._watch is None else self._watch.variables()

    @seen.setter
    def seen(self, values: Mapping[str, Any]) -> None:
        if self._watch is not None:
            self._watch.load(values)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begins anew."""
        if self._watch is not None:
            self._watch.begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds what was seen."""
        if logs is not None and self._watch is not None:
            logs.update(self._watch.means())

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Ends the watch."""
        self.close()

    def close(self) -> None:
        """Ends the watch."""
        if self._watch is not None:
            self._watch.detach()
        self._watch = None
