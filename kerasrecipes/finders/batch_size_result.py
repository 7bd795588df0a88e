"""BatchSizeResult."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasrecipes._export import export


@export("finders", saved=False)
@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class BatchSizeResult:
    """Which batch sizes fit in memory, and how fast they train.

    Attributes:
        sizes: The sizes that were tried and fit, ascending, int64, (n,).
        examples_per_second: Examples trained on per second with each, float64, (n,).
        memory: Most memory of the device with each, bytes, int64, (n,); 0 if unknown.
        failed: Why the other sizes that were tried did not fit, by size.
        limit: Memory that was allowed, in bytes, or None for what the device has.
        ended: Why the search ended.
        seconds: Time that it took.

    Example:
    >>> result = BatchSizeResult(
    ...     sizes=np.array([16, 32]), examples_per_second=np.array([900.0, 1700.0]),
    ...     memory=np.array([400, 600]) * 2**20, failed={64: "it took 1,100 MiB, too much"},
    ...     limit=2**30, ended="64 does not fit", seconds=9.5,
    ... )
    >>> result.largest, result.fastest
    (32, 32)
    >>> print(result)
    batch size   examples/s   memory, MiB
            16          900           400
            32        1,700           600  <- largest, fastest
            64                             it took 1,100 MiB, too much
    64 does not fit. 9.5 s.
    """

    sizes: np.ndarray
    examples_per_second: np.ndarray
    memory: np.ndarray
    failed: Mapping[int, str]
    limit: int | None
    ended: str
    seconds: float

    @property
    def largest(self) -> int:
        """The largest size that was seen to fit."""
        return int(self.sizes[-1])

    @property
    def fastest(self) -> int:
        """The size with the most examples per second."""
        return int(self.sizes[int(np.argmax(self.examples_per_second))])

    def plot(self, **options: Any) -> Any:
        """Draws speed and memory by size; see `kerasrecipes.reporting.batch_sizes`.

        Returns: A Matplotlib figure: `figure.savefig(path)` writes it.
        """
        from kerasrecipes.reporting.finders import batch_sizes

        return batch_sizes(self, **options)

    def __str__(self) -> str:
        """Returns a row for each size that was tried."""
        rows = {}
        for size, speed, memory in zip(
            self.sizes, self.examples_per_second, self.memory, strict=True
        ):
            shown = f"{memory / 2**20:,.0f}" if memory else "unknown"
            rows[int(size)] = f"{size:>10}   {speed:>10,.0f}   {shown:>11}{self._marks(int(size))}"
        for size, why in self.failed.items():
            rows[size] = f"{size:>10}   {'':>10}   {'':>11}  {why}"
        table = [rows[size] for size in sorted(rows)]
        head = f"batch size   examples/s   {'memory, MiB':>11}"
        return "\n".join([head, *table, f"{self.ended}. {self.seconds:.1f} s."])

    def _marks(self, size: int) -> str:
        marks = [name for name in ("largest", "fastest") if getattr(self, name) == size]
        return f"  <- {', '.join(marks)}" if marks else ""
