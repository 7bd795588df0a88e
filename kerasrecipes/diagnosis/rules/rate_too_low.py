"""The training loss still falls as fast as in the beginning, and has not come far."""

import numpy as np

from kerasrecipes.diagnosis._curves import noise
from kerasrecipes.diagnosis._rule import Rule, Verdict, needs, percent, show
from kerasrecipes.diagnosis.run_record import RunRecord

_AS_FAST = 0.6  # the fall of the last third over that of the first
_CREEPS = 0.05  # the fall of the last third over that of all, where every epoch falls
_FAR = 0.5  # of the way from a guess to the floor, or of the first loss
_RATIO = 1e-5
_LOWERED = 0.5


def judge(run: RunRecord) -> Verdict | None:
    """Compares the fall of the training loss in the last third with that in the first."""
    needs(run, 6)
    losses, third = run.training, run.length // 3
    first, last = losses[0] - losses[third], losses[-1 - third] - losses[-1]
    come = run.learned(losses[-1])
    if come is None:
        come = float((losses[0] - losses[-1]) / max(abs(losses[0]), 1e-12))
    steady = last >= _AS_FAST * first and last > 3 * noise(losses)
    ratios = run.curve("update_ratio")
    tiny = ratios is not None and 0 < np.median(ratios) < _RATIO
    creeps = not steady and _creeps(run)
    if come >= _FAR or not (steady or tiny or creeps) or _warms_up(run):
        return None
    kind = "training"
    if creeps and run.validation is not None:
        kind, others = "validation", run.validation
        first, last = others[0] - others[third], others[-1 - third] - others[-1]
    pace = f"{show(first)} in the first third of the epochs and {show(last)} in the last"
    evidence = (
        f"The {kind} loss falls by {pace}, and that of training has come "
        f"{percent(max(come, 0.0))} of its way in {run.length} epochs."
    )
    if ratios is not None and tiny:
        evidence += f" An update moves the weights by {show(np.median(ratios))} of their norm."
    remedy = (
        "Raise the learning rate by a factor of three to ten; `finders.learning_rate` finds the "
        "edge. With clipping, see that the threshold is not far below the gradient norm."
    )
    numbers = {"first": float(first), "last": float(last), "come": float(come)}
    return Verdict(evidence, remedy, numbers)


def _creeps(run: RunRecord) -> bool:
    """Returns whether the validation loss, which no dropout blurs, falls in every epoch to the end.

    Not where the rate has been lowered: then it is meant to.
    """
    rate, losses = run.curve("learning_rate"), run.validation
    if losses is None or (rate is not None and rate[-1] < _LOWERED * rate.max()):
        return False
    third = losses[-1 - run.length // 3 :]
    falls = bool((np.diff(third) < 0).all())
    return falls and third[0] - third[-1] > _CREEPS * (losses[0] - losses[-1])


def _warms_up(run: RunRecord) -> bool:
    """Returns whether the rate still rises in the second half."""
    rate = run.curve("learning_rate")
    return rate is not None and bool(rate[-1] > 1.2 * rate[run.length // 2])


RULE = Rule("rate_too_low", "Learning rate too low", "S7", judge, unless=("rate_too_high",))
