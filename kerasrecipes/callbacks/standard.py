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
from kerasrecipes.callbacks.non_finite import NonFinite
from kerasrecipes.callbacks.penalty_log import PenaltyLog
from kerasrecipes.callbacks.progress import Progress
from kerasrecipes.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from kerasrecipes.callbacks.spike_guard import SpikeGuard
from kerasrecipes.callbacks.time_budget import TimeBudget
from kerasrecipes.callbacks.weight_averaging import WeightAveraging


@export("callbacks", saved=False)
def standard(
    *,
    monitor: str | None = None,
    mode: str = "auto",
    patience: int | EarlyStopping | None = 10,
    plateau: int | ReduceLROnPlateau | None = None,
    checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
    averaging: str | WeightAveraging | None = None,
    seconds: float | datetime.timedelta | TimeBudget | None = None,
    nonfinite: str | NonFinite | None = None,
    spikes: bool | SpikeGuard = False,
    progress: bool | Progress = True,
) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that nearly every fit wants, in the order that they need.

    `Checkpoint` if asked for, `CallbackCheck` (callbacks that clash are refused), `Interrupt`
    (Ctrl-C ends cleanly), `TimeBudget` if asked for, `EpochOrder` (the order of rows follows from
    seed and epoch), `BindSchedule` (schedules take their length from the fit),
    `AverageForEvaluation` (for `ScheduleFreeAdamW`), `WeightAveraging` if asked for,
    `LearningRateLog`, `GradientLog` and `PenaltyLog` (the rate, what the optimizer saw of its
    gradients, and the weight penalty in History), `NonFinite`, `SpikeGuard` and
    `ReduceLROnPlateau` if asked for, `EarlyStopping` (the best weights come back), and `Progress`
    (a line per epoch; call `fit` with `verbose=0`). Add your own at the end, unless they add to
    the logs. Where a plain value does not say enough, give the callback itself.

    Args:
        monitor: Log entry that decides which epoch is best. Defaults to None, the one that the
            model's target names, else "val_loss".
        mode: "min" or "max", whether lower or higher is better; "auto" knows the usual metrics.
            Defaults to "auto".
        patience: Epochs without improvement before the stop, or None to train all epochs and
            still bring the best weights back; or an `EarlyStopping`. Defaults to 10.
        plateau: Epochs without improvement before the rate is cut by ten, fewer than `patience`;
            or a `ReduceLROnPlateau`. Defaults to None, no cuts.
        checkpoint: Folder in which the training is saved after each epoch, and from which the
            same program goes on when it is started again; or a `Checkpoint`. Defaults to None,
            nothing is saved.
        averaging: "ema" or "swa", or a `WeightAveraging`. Defaults to None.
        seconds: Time after which the fit has to be over, a number or a `datetime.timedelta`; or
            a `TimeBudget`. Defaults to None, no limit.
        nonfinite: What to do when the loss or a gradient is NaN or infinite: "stop", "skip" or
            "rollback"; or a `NonFinite`. Defaults to None, what `EarlyStopping` does: such
            epochs are never the best.
        spikes: Whether to leave out batches whose gradient is far larger than the latest ones;
            or a `SpikeGuard`. Defaults to False.
        progress: Whether to print a line per epoch; or a `Progress`. Defaults to True.

    Example:
    >>> [type(callback).__name__ for callback in standard(progress=False)]
    ['CallbackCheck', 'Interrupt', 'EpochOrder', 'BindSchedule', 'AverageForEvaluation',
     'LearningRateLog', 'GradientLog', 'PenaltyLog', 'EarlyStopping']
    """
    if not isinstance(progress, Progress):
        progress = Progress() if check_choice("progress", progress, (True, False)) else None
    if isinstance(nonfinite, str):
        nonfinite = NonFinite(nonfinite)
    if not isinstance(spikes, SpikeGuard):
        spikes = SpikeGuard() if check_choice("spikes", spikes, (True, False)) else None
    if isinstance(plateau, int):
        plateau = ReduceLROnPlateau(monitor, mode=mode, patience=plateau)
    if not isinstance(patience, EarlyStopping):
        patience = EarlyStopping(monitor, mode=mode, patience=patience)
    if seconds is not None and not isinstance(seconds, TimeBudget):
        seconds = TimeBudget(seconds)
    if isinstance(checkpoint, (str, os.PathLike)):
        checkpoint = Checkpoint(checkpoint)
    if isinstance(averaging, str):
        averaging = WeightAveraging(averaging)
    callbacks = [
        _own("checkpoint", checkpoint, Checkpoint),
        CallbackCheck(),
        Interrupt(),
        seconds,
        EpochOrder(),
        BindSchedule(),
        AverageForEvaluation(),
        _own("averaging", averaging, WeightAveraging),
        LearningRateLog(),
        GradientLog(),
        PenaltyLog(),
        _own("nonfinite", nonfinite, NonFinite),
        spikes,
        _own("plateau", plateau, ReduceLROnPlateau),
        patience,
        progress,
    ]
    return [each for each in callbacks if each is not None]


def _own(argument: str, given: object, kind: type) -> keras.callbacks.Callback | None:
    if given is not None and not isinstance(given, kind):
        plain = {"checkpoint": "a folder", "plateau": "an int"}.get(argument, "a name")
        fail(argument, f"None, {plain} or a {kind.__name__}", given)
    return given  # type: ignore[return-value]
