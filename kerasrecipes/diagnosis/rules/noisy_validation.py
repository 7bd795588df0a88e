"""The validation rows are too few to tell one epoch, or one run, from another."""

import math

from kerasrecipes.diagnosis._curves import noise, turns
from kerasrecipes.diagnosis._rule import NotJudgedError, Rule, Verdict, percent, show
from kerasrecipes.diagnosis.run_record import RunRecord

_ERROR = 0.02  # standard error of an accuracy
_RELATIVE = 0.15  # standard error of a mean squared error, over it
_SCATTER = 0.05  # of the span
_TIMES = 3.0  # the scatter of the training loss
_VALUES = ("regression", "positive_regression", "bounded_regression")


def judge(run: RunRecord) -> Verdict | None:
    """Takes the standard error from the number of rows, and the scatter from the curve."""
    if run.validation is None:
        raise NotJudgedError("takes the validation loss of every epoch")
    found = _of_scatter(run) or _of_accuracy(run) or _of_squares(run)
    if found is None:
        return None
    evidence, numbers, harmless = found
    rows = run.validation_rows
    enough = f" There are {rows} validation rows; four times as many halve it." if rows else ""
    remedy = (
        f"Differences of less than twice the error say nothing.{enough} Set more rows aside, or "
        "judge by folds (`kerasrecipes tune --folds 5`)."
    )
    return Verdict(evidence, remedy, numbers, None, harmless)


def _of_accuracy(run: RunRecord) -> tuple[str, dict[str, float], bool] | None:
    """Binomial, sqrt(p (1 - p) / n); where no row is wrong, as if one of n + 2 were (Laplace)."""
    accuracy, rows = run.curve("val_accuracy"), run.validation_rows
    if accuracy is None or not rows:
        return None
    share = float(accuracy[run.kept])
    likely = share if 0 < share < 1 else (share * rows + 1) / (rows + 2)
    error = math.sqrt(likely * (1 - likely) / rows)
    if error < _ERROR:
        return None
    said = f"The validation accuracy is {100 * share:.1f} % with a standard error of "
    return f"{said}{100 * error:.1f} points.", {"standard_error": error, "value": share}, True


def _of_squares(run: RunRecord) -> tuple[str, dict[str, float], bool] | None:
    """Of n normal residuals the mean square has the relative error sqrt(2 / n)."""
    rows = run.validation_rows
    if run.target not in _VALUES or not rows or math.sqrt(2 / rows) < _RELATIVE:
        return None
    loss = float(run.history["val_loss"][run.kept])
    error = loss * math.sqrt(2 / rows)
    said = f"The validation loss is {show(loss)} with a standard error of about {show(error)}"
    return f"{said}, by the number of rows.", {"standard_error": error, "value": loss}, True


def _of_scatter(run: RunRecord) -> tuple[str, dict[str, float], bool] | None:
    if run.validation is None or run.length < 10:
        return None
    late = slice(run.length // 5, None)
    scatter, trained = noise(run.validation[late]), noise(run.training[late])
    turned = turns(run.validation[late])
    if turned < 0.5 or scatter < max(_SCATTER * run.span, _TIMES * trained):
        return None
    said = (
        f"The validation loss scatters by {show(scatter)} from epoch to epoch, "
        f"{percent(scatter / run.span)} of all there was to lose, that of training by "
        f"{show(trained)}."
    )
    return said, {"scatter": scatter, "training_scatter": trained}, False


RULE = Rule("noisy_validation", "Noisy validation", "S10", judge)
