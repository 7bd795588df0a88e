"""Does regularisation raise the training loss?"""

import math

import keras

from kerasrecipes._find import find
from kerasrecipes.sanity._outcome import judged, skip
from kerasrecipes.sanity._quiet import is_stochastic
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding

# Less than this is rounding. Noise in training shows at weights that fit the rows by heart.
LEAST = 1e-6
OUTWEIGHS = 10.0


def regularization(subject: Subject) -> Finding:
    """Regularisation on: the loss is higher."""
    model = subject.model
    layers = find(model, keras.layers.Layer)
    noisy = [each.name for each in layers if is_stochastic(each) and each is not model]
    penalised = [each.path for each in model.weights if each.regularizer is not None]
    active = [each.name for each in layers if each.activity_regularizer is not None]
    if not (noisy or penalised or active):
        return skip("the model has no penalty and no dropout")
    trial = subject.trial
    if trial.regularized is None:
        return skip("dropout follows a schedule, whose length only a fit gives")
    rise = trial.regularized - trial.unregularized
    least = LEAST * max(1.0, abs(trial.unregularized))
    quantity = "rise of the loss of a few rows, learnt by heart"
    if not math.isfinite(rise) or rise < least:
        return judged(
            "fail",
            quantity,
            rise,
            (least, math.inf),
            note=f"With {_parts(noisy, penalised, active)} the loss is {trial.regularized:.4g}, "
            f"without {trial.unregularized:.4g}.",
            remedy="Check that dropout gets `training`, that rates are above 0, that penalties "
            "are positive, and that the penalised weights are trainable.",
        )
    most = OUTWEIGHS * trial.scale
    return judged(
        "warn" if trial.penalty > most else "pass",
        quantity,
        rise,
        (least, most if trial.penalty > most else math.inf),
        note=f"The penalties of {trial.penalty:.4g} outweigh the loss of a guess, "
        f"{trial.scale:.4g}, after a few updates."
        if trial.penalty > most
        else "",
        remedy="Lower the factors of the penalties.",
    )


def _parts(noisy: list[str], penalised: list[str], active: list[str]) -> str:
    counts = {"noisy layers": noisy, "penalised weights": penalised, "penalised outputs": active}
    return ", ".join(f"{len(found)} {what}" for what, found in counts.items() if found)
