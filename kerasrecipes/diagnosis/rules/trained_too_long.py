"""The best epoch is among the first."""

from kerasrecipes.diagnosis._rule import Rule, Verdict, needs, validation_of
from kerasrecipes.diagnosis.run_record import RunRecord

_FIRST = 0.1


def judge(run: RunRecord) -> Verdict | None:
    """Looks at where the best epoch is."""
    needs(run, 20)
    validation_of(run)
    if run.best + 1 > max(1.0, _FIRST * run.length):
        return None
    wasted = run.length - run.best - 1
    evidence = (
        f"The best epoch is {run.best + 1} of {run.length}: the {wasted} after it were in vain."
    )
    remedy = (
        "Stop earlier (a smaller `patience`). If a few epochs are all it takes to overfit, "
        "regularise more (dropout, weight decay) or lower the learning rate."
    )
    numbers = {"best_epoch": run.best + 1, "epochs": run.length}
    return Verdict(evidence, remedy, numbers, run.best + 1)


RULE = Rule("trained_too_long", "Trained too long", "S9", judge)
