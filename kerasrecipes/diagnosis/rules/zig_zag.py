"""The training loss jumps up and down."""

import numpy as np

from kerasrecipes.diagnosis._curves import noise, turns
from kerasrecipes.diagnosis._rule import Rule, Verdict, needs, percent, show
from kerasrecipes.diagnosis.run_record import RunRecord

_TURNS = 0.5  # white noise has 2/3
_OF_THE_SPAN = 0.05
_OF_THE_LEVEL = 0.1


def judge(run: RunRecord) -> Verdict | None:
    """Compares the scatter of the training loss, after the first epochs, with what it lost."""
    needs(run, 10)
    late = run.training[run.length // 5 :]
    scatter, turned = noise(late), turns(late)
    level = float(np.median(late)) - (run.floor or 0.0)
    if turned < _TURNS or scatter < max(_OF_THE_SPAN * run.span, _OF_THE_LEVEL * abs(level)):
        return None
    epoch = run.length // 5 + 1
    evidence = (
        f"From epoch {epoch} on the training loss turns in {percent(turned)} of the epochs, and "
        f"scatters by {show(scatter)} around its course, which is {percent(scatter / run.span)} "
        f"of all there was to lose ({show(run.span)})."
    )
    size = run.batch_size
    more = f"from {size} to {4 * size}" if size else "by a factor of four"
    remedy = f"Raise the batch size {more}, or lower the learning rate by a factor of three."
    numbers = {"scatter": scatter, "turns": turned, "span": run.span}
    return Verdict(evidence, remedy, numbers, epoch)


RULE = Rule("zig_zag", "Zig-zag", "S9", judge)
