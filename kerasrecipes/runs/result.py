"""What a run leaves in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RunResult:
    """A finished run; everything in it is also in its folder.

    Attributes:
        folder: The run folder.
        metrics: What `metrics.json` holds.
        history: Values per epoch by log name.
    """

    folder: Path
    metrics: Mapping[str, Any]
    history: Mapping[str, Sequence[float]]

    @property
    def test(self) -> Mapping[str, float]:
        """Loss and metrics on the test rows."""
        return self.metrics["metrics"]["test"]

    @property
    def best_epoch(self) -> int | None:
        """Epoch whose weights the model has, counted from 1; None if none was finite."""
        return self.metrics["epochs"]["best"]

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training."""
        return self.metrics["interrupted"]


@dataclass(frozen=True)
class TuneResult:
    """A search that has ended; everything in it is also in its folder.

    Attributes:
        folder: The folder of the search; None for a worker, since the chief has it.
        search: The trials, the best of them, its model, and what to beware of.
        metrics: What `metrics.json` holds.

    Example:
    >>> metrics = {"metrics": {"test": {"loss": 0.5}}, "ended": "Ctrl-C"}
    >>> result = TuneResult(Path("searches/mine/1"), None, metrics)
    >>> result.test, result.interrupted
    ({'loss': 0.5}, True)
    """

    folder: Path | None
    search: Any
    metrics: Mapping[str, Any]

    @property
    def test(self) -> Mapping[str, float]:
        """Loss and metrics of the best recipe on the test rows; empty if no trial is completed."""
        return self.metrics["metrics"].get("test", {})

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the search."""
        return self.metrics["ended"] == "Ctrl-C"
