"""ScalingPlan, which is what `plan` returns."""

import dataclasses
from typing import Any

from kerasrecipes._export import export

_COLUMNS = "workers", "rows each", "compute", "all-reduce", "step", "rows/s", "efficiency"


@export("distribute", saved=False)
@dataclasses.dataclass(frozen=True)
class ScalingRow:
    """What `plan` says of one number of workers.

    Attributes:
        workers: Number of workers N.
        batch_size: Rows that each worker computes with in a step.
        compute_seconds: Time of a step without communication, as measured.
        all_reduce_seconds: Time to sum the gradients over the workers.
        step_seconds: The two together.
        examples_per_second: Rows per second, of all workers together.
        efficiency: Rows per second over N times those of one worker; 1 is ideal.

    Example:
    >>> ScalingRow(2, 64, 0.03, 0.01, 0.04, 3200.0, 0.75).efficiency
    0.75
    """

    workers: int
    batch_size: int
    compute_seconds: float
    all_reduce_seconds: float
    step_seconds: float
    examples_per_second: float
    efficiency: float


@export("distribute", saved=False)
@dataclasses.dataclass(frozen=True)
class ScalingPlan:
    """What `plan` returns: one `ScalingRow` for each number of workers. Its `str` is a table.

    Attributes:
        rows: The rows, in the order of `workers`.
        batch_size: Rows in a batch, as given.
        scaling: "strong" or "weak", as given.
        gradient_bytes: Bytes of the gradients of all trainable weights.
        all_reduces: How often a step sums them over the workers.
        bandwidth: Bytes per second, as given.
        latency: Seconds, as given.

    Example:
    >>> row = ScalingRow(2, 64, 0.03, 0.01, 0.04, 3200.0, 0.75)
    >>> print(ScalingPlan((row,), 128, "strong", 4_000_000, 1, 1.25e9, 5e-5))
    strong scaling: 128 rows in a batch of all workers together
    gradients of 4 MB, summed 1 time(s) a step over 1.25 GB/s, 50 us
    workers  rows each  compute  all-reduce  step   rows/s  efficiency
          2         64    30 ms       10 ms  40 ms   3,200        75 %
    """

    rows: tuple[ScalingRow, ...]
    batch_size: int
    scaling: str
    gradient_bytes: int
    all_reduces: int
    bandwidth: float
    latency: float

    def table(self) -> str:
        """Returns the rows as a table for the terminal."""
        lines = [_COLUMNS, *map(_cells, self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        )

    def __str__(self) -> str:
        """Returns what was assumed, and the table."""
        whose = "all workers together" if self.scaling == "strong" else "each worker"
        return (
            f"{self.scaling} scaling: {self.batch_size:,} rows in a batch of {whose}\n"
            f"gradients of {_scaled(self.gradient_bytes, 'B')}, summed {self.all_reduces} time(s) "
            f"a step over {_scaled(self.bandwidth, 'B/s')}, {_scaled(self.latency, 's')}\n"
            f"{self.table()}"
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draws rows per second against workers, with the ideal; returns the Matplotlib axes.

        Args:
            ax: Axes to draw on. Defaults to None, those of a new figure.
        """
        import matplotlib.pyplot as plt

        ax = plt.subplots()[1] if ax is None else ax
        workers = [row.workers for row in self.rows]
        found = [row.examples_per_second for row in self.rows]
        first = self.rows[0]
        alone = first.examples_per_second / (first.workers * first.efficiency)
        ax.plot(workers, [alone * count for count in workers], "--", label="ideal")
        ax.plot(workers, found, "o-", label="estimate")
        ax.set(xlabel="workers", ylabel="rows per second", title=f"{self.scaling} scaling")
        ax.set_ylim(bottom=0)
        ax.legend()
        return ax


def _cells(row: ScalingRow) -> tuple[str, ...]:
    seconds = row.compute_seconds, row.all_reduce_seconds, row.step_seconds
    return (
        f"{row.workers:,}",
        f"{row.batch_size:,}",
        *(_scaled(each, "s") for each in seconds),
        f"{row.examples_per_second:,.0f}",
        f"{row.efficiency:.0%}".replace("%", " %"),
    )


def _scaled(value: float, unit: str) -> str:
    """Returns a number with a prefix, such as "1.25 GB/s" or "50 us"."""
    if not value:
        return f"0 {unit}"
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m")):
        if value >= factor * 0.9995 and (factor <= 1 or unit != "s"):
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value * 1e6:.3g} u{unit}"
