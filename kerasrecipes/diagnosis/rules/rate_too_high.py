"""The training loss itself jumps up, or ends above where it has been."""

import numpy as np

from kerasrecipes.diagnosis._curves import noise, smooth
from kerasrecipes.diagnosis._rule import Rule, Verdict, needs, percent, show
from kerasrecipes.diagnosis.run_record import RunRecord

_JUMP = 0.35  # of the span, from one epoch to the next
_NOISE = 5.0
_RISE = 0.1  # of the span, from the lowest to the end
_RATIO = 0.03  # of the weights, in one update; about 1e-3 is usual
_RESTART = 1.5
_REMEDY = (
    "Lower the learning rate by a factor of three (`finders.learning_rate` finds the edge), add "
    "a warm-up (`schedule={'name': 'cosine', 'warmup': 0.05}`), or clip the gradients."
)


def judge(run: RunRecord) -> Verdict | None:
    """Looks for a jump, a rise, and updates that are large for the weights."""
    needs(run, 4)
    losses, course = run.training, smooth(run.training)
    jumps = np.diff(losses)
    highest = int(np.argmax(jumps))
    least = max(_JUMP * run.span, _NOISE * noise(losses))  # dropout scatters the loss too
    if jumps[highest] > least and not _restarts(run, highest + 1):
        evidence = (
            f"The training loss jumps from {show(losses[highest])} to {show(losses[highest + 1])} "
            f"in epoch {highest + 2}, by {percent(jumps[highest] / run.span)} of all there was "
            "to lose."
        )
        return Verdict(evidence, _REMEDY, {"jump": float(jumps[highest])}, highest + 2)
    lowest, rise = int(np.argmin(course)), float(course[-1] - course.min())
    if rise > max(_RISE * run.span, 4 * noise(losses)):
        evidence = (
            f"The training loss is lowest in epoch {lowest + 1}, {show(course[lowest])}, and rises "
            f"to {show(course[-1])} at the end, by {percent(rise / run.span)} of all there was to "
            "lose."
        )
        return Verdict(evidence, _REMEDY, {"rise": rise}, lowest + 1)
    return _large_updates(run)


def _restarts(run: RunRecord, index: int) -> bool:
    rate = run.curve("learning_rate")
    return rate is not None and bool(rate[index] > _RESTART * rate[index - 1])


def _large_updates(run: RunRecord) -> Verdict | None:
    ratios = run.curve("update_ratio")
    if ratios is None or not np.median(ratios) > _RATIO:
        return None
    typical = float(np.median(ratios))
    evidence = f"An update moves the weights by {percent(typical)} of their norm; 0.1 % is usual."
    return Verdict(evidence, _REMEDY, {"update_ratio": typical})


RULE = Rule("rate_too_high", "Learning rate too high", "S7", judge, unless=("zig_zag",))
