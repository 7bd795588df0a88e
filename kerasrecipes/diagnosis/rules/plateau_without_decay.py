"""The training loss stands still at a rate that was never lowered."""

import numpy as np

from kerasrecipes.diagnosis._curves import fall
from kerasrecipes.diagnosis._rule import NotJudgedError, Rule, Verdict, needs, percent, show
from kerasrecipes.diagnosis.run_record import RunRecord

_FLAT = 0.02  # of the span, in the last third
_CONSTANT = 1.01
_LEARNED = 0.95
_SCHEDULED = ("none", "constant")


def judge(run: RunRecord) -> Verdict | None:
    """Looks at the last third of the training loss, and at the rate."""
    needs(run, 12)
    if not _is_constant(run):
        return None
    third = run.training[-(run.length // 3) :]
    falls = fall(third)
    reached = float(np.median(third))
    if run.validation is not None:  # dropout and augmentation raise that of training
        reached = min(reached, float(run.validation[run.kept]))
    learned = run.learned(reached)
    if learned is None:
        learned = float((run.training[0] - reached) / max(abs(run.training[0]), 1e-12))
    before = float(run.training[0] - third[0])
    stands = falls < _FLAT * run.span
    if not stands or learned > _LEARNED or before < 0.05 * run.span:
        return None
    evidence = (
        f"In the last {len(third)} epochs the training loss falls by {show(max(falls, 0.0))}, "
        f"{percent(max(falls, 0.0) / run.span)} of all there was to lose, at a constant rate."
    )
    remedy = (
        "Lower the rate in the course of the fit: `schedule='cosine'` for a length that is known, "
        "or `callbacks.standard(plateau=5)`, which cuts it when the loss stands still."
    )
    epoch = run.length - len(third) + 1
    return Verdict(evidence, remedy, {"fall": falls, "learned": learned}, epoch)


def _is_constant(run: RunRecord) -> bool:
    rate = run.curve("learning_rate")
    if rate is not None:
        return bool(np.max(rate) <= _CONSTANT * np.min(rate))
    if "model" not in run.recipe:
        raise NotJudgedError("takes `learning_rate`, which `callbacks.LearningRateLog` logs")
    return run.recipe["model"].get("schedule", "none") in _SCHEDULED


RULE = Rule(
    "plateau_without_decay",
    "Plateau without decay",
    "S7",
    judge,
    unless=("rate_too_high", "underfitting"),
)
