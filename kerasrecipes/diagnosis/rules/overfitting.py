"""The validation loss rises while the training loss falls."""

import numpy as np

from kerasrecipes.diagnosis._curves import noise, smooth
from kerasrecipes.diagnosis._rule import Rule, Verdict, needs, percent, show, validation_of
from kerasrecipes.diagnosis.run_record import RunRecord

_RISE = 0.03  # of the span
_FALL = 0.05  # of the training loss where the validation loss is lowest
_OF_MEDIAN = 1.25  # standard error of a median, over that of a mean
_KEPT = "The best weights came back, so the model is none the worse for it."
_NOT_KEPT = "Keep the weights of the best epoch: `callbacks.EarlyStopping` brings them back."
_REMEDY = (
    "What helps: more data or augmentation, dropout 0.2 to 0.5, weight decay, a smaller model."
)


def judge(run: RunRecord) -> Verdict | None:
    """Looks for the lowest validation loss, and at both losses after it."""
    needs(run, 6)
    validation, training = smooth(validation_of(run)), smooth(run.training)
    begin = int(np.argmin(validation))
    scatter = noise(run.validation)
    end, where, least = float(validation[-1]), f"epoch {run.length}", 3 * scatter
    if end - validation[begin] < least and begin < run.length // 5:
        # In noise the level of many epochs tells more than an end.
        late = max(3, min(run.length // 3, run.length - begin - 1))
        end, where = float(np.median(validation_of(run)[-late:])), f"the last {late} epochs"
        least = 3 * scatter * _OF_MEDIAN * float(np.sqrt(1 / 5 + 1 / late))
    rise = end - float(validation[begin])
    fall = float(training[begin] - training[-1])
    left = float(training[begin]) - (run.floor or 0.0)
    if run.length - begin < 4 or rise < max(_RISE * run.span, least) or fall < _FALL * left:
        return None
    evidence = (
        f"From epoch {begin + 1} to {where} the validation loss rises from "
        f"{show(validation[begin])} to {show(end)}, "
        f"{percent(rise / run.span)} of all there was to lose, while the training loss falls from "
        f"{show(training[begin])} to {show(training[-1])}."
    )
    harmless = run.best_epoch is not None and run.kept <= begin + 2
    remedy = f"{_KEPT if harmless else _NOT_KEPT} {_REMEDY}"
    numbers = {"rise": rise, "fall": fall, "scatter": scatter}
    return Verdict(evidence, remedy, numbers, begin + 1, harmless)


RULE = Rule("overfitting", "Overfitting", "S5", judge)
