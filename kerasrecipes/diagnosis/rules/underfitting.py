"""The model is hardly better than a guess, also on the rows that it is trained on."""

from kerasrecipes.diagnosis._rule import Rule, Verdict, guess_of, needs, percent, show
from kerasrecipes.diagnosis.run_record import RunRecord

_LEARNED = 0.25


def judge(run: RunRecord) -> Verdict | None:
    """Compares the loss of the epoch that was kept with that of a guess."""
    needs(run, 5)
    guess = guess_of(run)
    loss = float(run.training[run.kept])
    if run.validation is not None:  # dropout and augmentation raise that of training
        loss = min(loss, float(run.validation[run.kept]))
    learned = run.learned(loss) or 0.0
    if learned >= _LEARNED:
        return None
    evidence = (
        f"In epoch {run.kept + 1} the loss is {show(loss)}, where a guess has {show(guess)}: "
        f"{percent(max(learned, 0.0))} of the way."
    )
    remedy = (
        "First overfit: a larger model (width, then depth), dropout and penalties off, another "
        "learning rate. If a few rows cannot be learned by heart (`sanity.check`), something is "
        "wrong with the data or the loss; else the inputs may just say little of the target."
    )
    return Verdict(evidence, remedy, {"loss": loss, "guess": guess, "learned": learned})


RULE = Rule(
    "underfitting",
    "Underfitting",
    "S1.6",
    judge,
    unless=("rate_too_low", "rate_too_high", "stopped_too_early"),
)
