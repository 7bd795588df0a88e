"""Much of what is learned does not hold for other rows."""

import math

from kerasrecipes.diagnosis._rule import Rule, Verdict, needs, percent, show, validation_of
from kerasrecipes.diagnosis.run_record import RunRecord

_HOLDS = 0.5
_LEARNED = 0.2  # of the span: before that there is nothing to compare
_POINTS = 0.1  # of the accuracy


def judge(run: RunRecord) -> Verdict | None:
    """Compares training and validation in the epoch that was kept."""
    needs(run, 2)
    validation, kept = validation_of(run), run.kept
    begin = max(run.training[0], validation[0]) if run.guess_loss is None else run.guess_loss
    trained = float(begin - run.training[kept])
    holds = float(begin - validation[kept]) / trained if trained > 0 else 1.0
    gap = float(validation[kept] - run.training[kept])
    found = _of_accuracy(run)
    if trained > _LEARNED * run.span and holds < _HOLDS:
        found = (
            f"In epoch {kept + 1} the training loss is {show(run.training[kept])} and the "
            f"validation loss {show(validation[kept])}: {percent(max(holds, 0.0))} of what was "
            "learned holds for other rows."
        )
    if found is None:
        return None
    remedy = (
        "More training rows or augmentation first; then dropout (0.2 to 0.5), weight decay, or a "
        "smaller model. See that both parts of the data are of one kind (`data.split` shuffles and "
        "stratifies)."
    )
    return Verdict(found, remedy, {"gap": gap, "holds": holds}, kept + 1)


def _of_accuracy(run: RunRecord) -> str | None:
    """Returns what the accuracies say, if they are too far apart to be chance."""
    ours, others = run.curve("accuracy"), run.curve("val_accuracy")
    if ours is None or others is None:
        return None
    share, rows = float(others[run.kept]), run.validation_rows
    error = math.sqrt(share * (1 - share) / rows) if rows else 0.0
    gap = float(ours[run.kept]) - share
    if gap < _POINTS + 2 * error:
        return None
    return (
        f"In epoch {run.kept + 1} the training accuracy is {percent(ours[run.kept])} and the "
        f"validation accuracy {percent(share)}, {100 * gap:.0f} points less."
    )


RULE = Rule("gap_too_large", "Gap too large", "S10", judge)
