"""Runs that differ by the seed alone end far apart."""

from collections.abc import Sequence

import numpy as np

from kerasrecipes.diagnosis._rule import NotJudgedError, Rule, Verdict, percent, show
from kerasrecipes.diagnosis.run_record import RunRecord

_SPREAD = 0.15  # standard deviation over the mean, of the loss above its floor
_OF_THE_SPAN = 0.01


def judge(runs: Sequence[RunRecord]) -> Verdict | None:
    """Compares the best losses of the runs."""
    if len(runs) < 2:
        raise NotJudgedError("takes several runs that differ by the seed")
    if any(_without_seed(run) != _without_seed(runs[0]) for run in runs):
        raise NotJudgedError("the runs differ by more than the seed")
    losses = [run.training if run.validation is None else run.validation for run in runs]
    best = np.array([each[run.best] for run, each in zip(runs, losses, strict=True)])
    lost = [run.name for run, value in zip(runs, best, strict=True) if not np.isfinite(value)]
    if lost:
        evidence = f"{len(lost)} of {len(runs)} runs diverged: {', '.join(lost)}."
        return Verdict(evidence, _REMEDY, {"diverged": len(lost), "runs": len(runs)})
    floor = runs[0].floor or 0.0
    mean, spread = float(best.mean()), float(best.std(ddof=1))
    if spread < max(_SPREAD * abs(mean - floor), _OF_THE_SPAN * runs[0].span):
        return None
    evidence = (
        f"The best losses of {len(runs)} runs are {show(mean)} on average, with a standard "
        f"deviation of {show(spread)} ({percent(spread / abs(mean - floor))}), from "
        f"{show(best.min())} to {show(best.max())}."
    )
    return Verdict(evidence, _REMEDY, {"mean": mean, "deviation": spread, "runs": len(runs)})


_REMEDY = (
    "Compare means over seeds, never single runs (`tuning.search(repeats=3)`). To steady it: a "
    "lower rate or a warm-up, larger batches, averaged weights (`standard(averaging='ema')`), and "
    "more validation rows if they are few."
)


def _without_seed(run: RunRecord) -> dict[str, object]:
    """Returns the recipe without its seeds; `split.seed` follows the seed of the run."""
    parts = {k: v for k, v in run.recipe.items() if k not in ("seed", "summary", "name")}
    if isinstance(parts.get("split"), dict):
        parts["split"] = {k: v for k, v in parts["split"].items() if k != "seed"}
    return parts


RULE = Rule("unstable_seeds", "Unstable over seeds", "S11", judge, several=True)
