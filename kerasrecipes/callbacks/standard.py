"""The standard set of callbacks."""

import datetime
import os

import keras

from kerasrecipes._checks import check_choice, fail
from kerasrecipes._export import export
from kerasrecipes.callbacks.average_for_evaluation import AverageForEvaluation
from kerasrecipes.callbacks.bind_schedule import BindSchedule
from kerasrecipes.callbacks.callback_check import CallbackCheck
from kerasrecipes.callbacks.checkpoint import Checkpoint
from kerasrecipes.callbacks.early_stopping import EarlyStopping
from kerasrecipes.callbacks.epoch_order import EpochOrder
from kerasrecipes.callbacks.gradient_log import GradientLog
from kerasrecipes.callbacks.interrupt import Interrupt
from kerasrecipes.callbacks.learning_rate_log import LearningRateLog
from kerasrecipes.callbacks.penalty_log import PenaltyLog
from kerasrecipes.callbacks.progress import Progress
from kerasrecipes.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from kerasrecipes.callbacks.time_budget import TimeBudget
from kerasrecipes.callbacks.weight_averaging import WeightAveraging


@export("callbacks", saved=False)
def standard(
    *,
    monitor: str | None = None,
    patience: int | None = 10,
    plateau: int | ReduceLROnPlateau | None = None,
    checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
    averaging: str | WeightAveraging | None = None,
    seconds: float | datetime.timedelta | None = None,
    progress: bool = True,
) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that nearly every fit wants, in the order that they need.

    `Checkpoint` if asked for, `CallbackCheck` (callbacks that clash are refused), `Interrupt`
    (Ctrl-C ends cleanly), `TimeBudget` if asked for, `EpochOrder` (the order of rows follows from
    seed and epoch), `BindSchedule` (schedules take their length from the fit),
    `AverageForEvaluation` (for `ScheduleFreeAdamW`), `WeightAveraging` if asked for,
    `LearningRateLog`, `GradientLog` and `PenaltyLog` (the rate, what the optimizer saw of its
    gradients, and the weight penalty in History), `ReduceLROnPlateau` if asked for,
    `EarlyStopping` (the best weights come back), and `Progress` (a line per epoch; call `fit` with
    `verbose=0`). Add your own at the end.

    Args:
        monitor: Log entry that decides which epoch is best. Defaults to None, the one that the
            model's target names, else "val_loss".
        patience: Epochs without improvement before the stop, or None to train all epochs and
            still bring the best weights back. Defaults to 10.
        plateau: Epochs without improvement before the rate is cut by ten, or a
            `ReduceLROnPlateau` of your own. Defaults to None, no cuts.
        checkpoint: Folder in which the training is saved after each epoch, and from which the
            same program goes on when it is started again; or a `Checkpoint` of your own.
            Defaults to None, nothing is saved.
        averaging: "ema" or "swa", or a `WeightAveraging` of your own. Defaults to None.
        seconds: Time after which the fit has to be over, a number or a `datetime.timedelta`.
            Defaults to None, no limit.
        progress: Whether to print a line per epoch. Defaults to True.

    Example:
    >>> [type(callback).__name__ for callback in standard(progress=False)]
    ['CallbackCheck', 'Interrupt', 'EpochOrder', 'BindSchedule', 'AverageForEvaluation',
     'LearningRateLog', 'GradientLog', 'PenaltyLog', 'EarlyStopping']
    """
    check_choice("progress", progress, (True, False))
    if isinstance(plateau, int):
        plateau = ReduceLROnPlateau(monitor, patience=plateau)
    if isinstance(checkpoint, (str, os.PathLike)):
        checkpoint = Checkpoint(checkpoint)
    if isinstance(averaging, str):
        averaging = WeightAveraging(averaging)
    callbacks = [
        _own("checkpoint", checkpoint, Checkpoint),
        CallbackCheck(),
        Interrupt(),
        None if seconds is None else TimeBudget(seconds),
        EpochOrder(),
        BindSchedule(),
        AverageForEvaluation(),
        _own("averaging", averaging, WeightAveraging),
        LearningRateLog(),
        GradientLog(),
        PenaltyLog(),
        _own("plateau", plateau, ReduceLROnPlateau),
        EarlyStopping(monitor, patience=patience),
        Progress() if progress else None,
    ]
    return [each for each in callbacks if each is not None]


def _own(argument: str, given: object, kind: type) -> keras.callbacks.Callback | None:
    if given is not None and not isinstance(given, kind):
        fail(argument, f"None, a plain value or a {kind.__name__}", given)
    return given  # type: ignore[return-value]
