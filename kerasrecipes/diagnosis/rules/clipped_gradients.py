"""Most gradients are clipped."""

import numpy as np

from kerasrecipes.diagnosis._rule import NotJudgedError, Rule, Verdict, needs, percent, show
from kerasrecipes.diagnosis.run_record import RunRecord

_MOST = 0.5
_LEARNED = 0.75


def judge(run: RunRecord) -> Verdict | None:
    """Looks at the clipped fraction of the later half of the epochs."""
    shares = run.curve("clipped_fraction")
    if shares is None:
        raise NotJudgedError("takes `clipped_fraction`, which `callbacks.GradientLog` logs")
    needs(run, 3)
    late = shares[run.length // 2 :]
    share = float(np.median(late))
    if not share > _MOST:
        return None
    evidence = f"In the later half of the epochs {percent(share)} of the gradients are clipped"
    norms, higher = run.curve("gradient_norm"), ""
    numbers = {"clipped_fraction": share}
    if norms is not None:
        numbers["gradient_norm"] = float(np.median(norms[run.length // 2 :]))
        evidence += f"; their norm is {show(numbers['gradient_norm'])} before that"
        higher = f" ({show(2 * numbers['gradient_norm'])} for example)"
    remedy = (
        "The threshold then sets the size of most gradients, not the loss. "
        f"Raise it{higher}, let it follow the gradients "
        "(`clip_norm='auto'`), or lower the learning rate if the norm grows."
    )
    return Verdict(evidence + ".", remedy, numbers, None, _has_learned(run))


def _has_learned(run: RunRecord) -> bool:
    """Returns whether it did no harm that shows: most of the loss is gone."""
    losses = run.training if run.validation is None else run.validation
    learned = run.learned(losses[run.kept])
    if learned is None:
        learned = 1 - float(losses[run.kept] / max(run.training[0], 1e-12))
    return learned > _LEARNED


RULE = Rule("clipped_gradients", "Most gradients clipped", "S6", judge)
