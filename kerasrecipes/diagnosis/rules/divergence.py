"""The loss is not finite, or grows without end."""

import numpy as np

from kerasrecipes.diagnosis._rule import Rule, Verdict, show
from kerasrecipes.diagnosis.run_record import RunRecord

_GROWN = 2.0  # times the worse of the first loss and that of a guess
_REMEDY = (
    "Lower the learning rate by a factor of ten (`finders.learning_rate` finds one), clip the "
    "gradients (`clip_norm=1.0`), and look for values in the data that are not finite or far off "
    "(`sanity.check`). `callbacks.NonFinite` stops at the first such batch, or goes back."
)


def judge(run: RunRecord) -> Verdict | None:
    """Looks for a loss that is not finite, and for one that ends far above where it began."""
    for name in ("loss", "val_loss"):
        values = run.history.get(name)
        if values is not None and not np.isfinite(values).all():
            epoch = int(np.argmin(np.isfinite(values))) + 1
            return Verdict(
                f"`{name}` is not finite in epoch {epoch}.", _REMEDY, {"epoch": epoch}, epoch
            )
    losses = run.training
    limit = _GROWN * max(losses[0], run.guess_loss or 0.0)
    if len(losses) < 2 or losses[-1] <= limit or losses[-1] <= 0:
        return None
    epoch = int(np.argmax(losses > limit)) + 1
    evidence = (
        f"The training loss grows from {show(losses[0])} in epoch 1 to {show(losses[-1])} in epoch "
        f"{run.length}; from epoch {epoch} on it is over {show(limit)}."
    )
    numbers = {"first": float(losses[0]), "last": float(losses[-1]), "limit": float(limit)}
    return Verdict(evidence, _REMEDY, numbers, epoch)


RULE = Rule("divergence", "Divergence", "S10", judge)
