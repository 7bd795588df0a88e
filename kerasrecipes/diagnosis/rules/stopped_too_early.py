"""The best epoch is among the last, and the loss still falls."""

from kerasrecipes.diagnosis._curves import fall, noise, smooth
from kerasrecipes.diagnosis._rule import NotJudgedError, Rule, Verdict, needs, percent, show
from kerasrecipes.diagnosis.run_record import RunRecord

_LAST = 0.75
_FALL = 0.02  # of the span, in the last quarter
_DECAYED = 0.05  # of the highest rate: there is nothing left to learn with


def judge(run: RunRecord) -> Verdict | None:
    """Looks at where the best epoch is, and at the loss of the last quarter."""
    needs(run, 5)
    if _stopped_by_itself(run):
        return None
    losses = run.training if run.validation is None else run.validation
    rate = run.curve("learning_rate")
    if rate is not None and rate[-1] < _DECAYED * rate.max():
        raise NotJudgedError("the rate has decayed to nearly nothing, as it was to")
    quarter = losses[-max(3, run.length // 4) :]
    falls = min(fall(quarter), float(smooth(losses)[-len(quarter)] - quarter.min()))
    late = run.best >= _LAST * run.length
    if not late or falls < max(_FALL * run.span, 2 * noise(losses)):
        return None
    kind = "training" if run.validation is None else "validation"
    evidence = (
        f"The best epoch is {run.best + 1} of {run.length}, and in the last {len(quarter)} the "
        f"{kind} loss still falls by {show(falls)}, {percent(falls / run.span)} of all there was "
        "to lose."
    )
    more = 2 * max(run.length, run.epochs or 0)
    remedy = f"Train longer, {more} epochs for example: early stopping ends what is long enough."
    numbers = {"best_epoch": run.best + 1, "epochs": run.length, "fall": falls}
    return Verdict(evidence, remedy, numbers, run.best + 1)


def _stopped_by_itself(run: RunRecord) -> bool:
    """Returns whether early stopping has ended it, which is its business."""
    said = run.stopped or ""
    return "not improved" in said or "has not" in said


RULE = Rule(
    "stopped_too_early",
    "Stopped too early",
    "S9",
    judge,
    unless=("rate_too_low", "rate_too_high", "zig_zag"),
)
