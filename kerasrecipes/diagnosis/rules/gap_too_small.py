"""There is no gap, though the training rows are far from learned."""

from kerasrecipes.diagnosis._rule import (
    Rule,
    Verdict,
    guess_of,
    needs,
    percent,
    show,
    validation_of,
)
from kerasrecipes.diagnosis.run_record import RunRecord

_GAP = 0.02  # of the span
_LEARNED = 0.75
_BELOW = 0.1


def judge(run: RunRecord) -> Verdict | None:
    """Compares training and validation in the epoch that was kept."""
    needs(run, 5)
    guess_of(run)
    ours, others = float(run.training[run.kept]), float(validation_of(run)[run.kept])
    gap, learned = (others - ours) / run.span, run.learned(min(ours, others)) or 0.0
    if gap > _GAP or learned > _LEARNED:
        return None
    evidence = (
        f"In epoch {run.kept + 1} the validation loss, {show(others)}, is not above that of "
        f"training, {show(ours)}, though only {percent(learned)} of the way from a guess is gone."
    )
    remedy = (
        "Training is made harder than it has to be: less dropout, augmentation or weight decay."
        if gap < -_BELOW
        else "There is room: a larger model, less dropout or weight decay, more epochs. If that "
        "lowers the training loss alone, this is what the inputs say of the target."
    )
    return Verdict(evidence, remedy, {"gap": gap, "learned": learned}, run.kept + 1, True)


RULE = Rule(
    "gap_too_small",
    "Gap too small",
    "S10",
    judge,
    unless=("underfitting", "rate_too_low", "rate_too_high", "stopped_too_early", "overfitting"),
)
