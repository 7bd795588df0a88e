"""Can the model learn a few rows by heart?"""

from kerasrecipes.sanity._outcome import at_most, judged
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding

LEFT = 0.05
LITTLE = 0.5


def overfit(subject: Subject) -> Finding:
    """A few rows, regularisation off: the loss goes to 0."""
    trial = subject.trial
    share = trial.share
    status = "pass" if share <= LEFT else "warn" if share <= LITTLE else "fail"
    return judged(
        status,
        "share of a guess's loss that stays on a few rows",
        max(share, 0.0),
        at_most(LEFT),
        note=f"{trial.updates} updates on {trial.rows} different rows leave {max(share, 0):.1%} of "
        f"the loss of a guess ({trial.scale:.3g}).",
        remedy="If hardly anything is learnt, the gradient does not reach the weights, the loss "
        "does not fit the output, or inputs are not scaled. If much is, the model is too small, "
        "or `steps` too few: first let it overfit, then regularise.",
    )
