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
