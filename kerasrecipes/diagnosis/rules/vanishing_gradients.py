"""The gradients of the first layers are far from those of the last."""

import numpy as np

from kerasrecipes.diagnosis._rule import NotJudgedError, Rule, Verdict, show
from kerasrecipes.diagnosis.run_record import RunRecord

_APART = 1e3


def judge(run: RunRecord) -> Verdict | None:
    """Compares the median gradient norm of the first layer with that of the last."""
    norms = {name: float(np.median(v)) for name, v in run.by_layer("gradient_norm").items()}
    if len(norms) < 2:
        raise NotJudgedError("takes the norms of layers, which `callbacks.GradientMonitor` logs")
    (first, low), *_, (last, high) = norms.items()
    ratio = low / high if high > 0 else np.inf
    if 1 / _APART <= ratio <= _APART:
        return None
    vanish = ratio < 1
    factor = max(ratio, 1 / ratio) if low > 0 and high > 0 else np.inf
    by = f" by a factor of {show(factor)}" if np.isfinite(factor) else ""
    evidence = (
        f"The gradient norm of {first} is {show(low)} and that of {last} {show(high)}: they "
        f"{'vanish' if vanish else 'explode'}{by}."
    )
    remedy = (
        "Activations that do not saturate (ReLU and its kind), the initializer that they ask for "
        "(`initializer='auto'`), normalisation, and residual connections"
    )
    remedy += "." if vanish else "; clip the gradients."
    return Verdict(evidence, remedy, {"first": low, "last": high, "ratio": ratio})


RULE = Rule("vanishing_gradients", "Vanishing or exploding gradients", "S6", judge)
