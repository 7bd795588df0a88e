"""LearningRateResult."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasrecipes._export import export

_PREFERRED = ("valley", "steepest", "minimum_over_10", "half_of_divergence")


@export("finders", saved=False)
@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class LearningRateResult:
    """What a range test of the learning rate found: the curve, and the rates that it suggests.

    Attributes:
        rates: Rate of each update, float64, (n,); n is smaller than `steps` if the loss diverged.
        losses: Loss of the batch of each update, before it, float64, (n,).
        smoothed: Bias-corrected moving average of the medians of five losses in a row, (n,).
        smoothed_rates: The same of log(rate), as a rate. `smoothed` belongs to these: both are
            averaged alike, so that the curve does not lag behind.
        diverged: The rate at which the climb began that ended above the loss of the start, or None.
        suggestions: Rates by name; those that the curve does not tell are missing.

            - "half_of_divergence": half of `diverged`.
            - "valley": the middle, on the logarithmic axis, of the descent to the lowest loss.
            - "steepest": where the smoothed loss falls fastest over log(rate).
            - "minimum_over_10": a tenth of the rate of the lowest smoothed loss.
        ended: Why the test ended.
        warnings: What to beware of, a sentence each.
        steps: Updates that were asked for.
        seconds: Time that the test took.

    Example:
    >>> rates = np.geomspace(0.01, 1.0, 3)
    >>> result = LearningRateResult(
    ...     rates=rates, losses=np.array([2.0, 1.0, 0.5]), smoothed=np.array([2.0, 1.4, 0.9]),
    ...     smoothed_rates=rates, diverged=None, suggestions={"valley": 0.1},
    ...     ended="the last rate was reached", warnings=(), steps=3, seconds=0.5,
    ... )
    >>> result.rate
    0.1
    >>> print(result)
    3 of 3 updates from 0.01 to 1 in 0.5 s; the last rate was reached.
      valley              0.1  <- rate
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    smoothed_rates: np.ndarray
    diverged: float | None
    suggestions: Mapping[str, float]
    ended: str
    warnings: tuple[str, ...]
    steps: int
    seconds: float

    @property
    def rate(self) -> float | None:
        """The rate to begin with: the first there is of valley, steepest, and the others.

        None if the curve suggests nothing; `warnings` say why.
        """
        name = self._chosen
        return None if name is None else self.suggestions[name]

    @property
    def _chosen(self) -> str | None:
        return next((name for name in _PREFERRED if name in self.suggestions), None)

    def plot(self, **options: Any) -> Any:
        """Draws the curve with its suggestions; see `kerasrecipes.reporting.rate_curve`.

        Returns: A Matplotlib figure: `figure.savefig(path)` writes it.
        """
        from kerasrecipes.reporting.finders import rate_curve

        return rate_curve(self, **options)

    def __str__(self) -> str:
        """Returns the suggestions as a table, why it ended, and the warnings."""
        first, last = self.rates[0], self.rates[-1]
        lines = [
            f"{len(self.rates)} of {self.steps} updates from {first:.3g} to {last:.3g} in "
            f"{self.seconds:.1f} s; {self.ended}."
        ]
        for name, rate in self.suggestions.items():
            mark = "  <- rate" if name == self._chosen else ""
            lines.append(f"  {name:<18}  {rate:.2g}{mark}")
        return "\n".join([*lines, *(f"Warning: {each}" for each in self.warnings)])
