"""The standard set of callbacks."""

import os

import keras

from kerasrecipes._checks import check_choice
from kerasrecipes._export import export
from kerasrecipes.callbacks.average_for_evaluation import AverageForEvaluation
from kerasrecipes.callbacks.bind_schedule import BindSchedule
from kerasrecipes.callbacks.checkpoint import Checkpoint
from kerasrecipes.callbacks.early_stopping import EarlyStopping
from kerasrecipes.callbacks.epoch_order import EpochOrder
from kerasrecipes.callbacks.gradient_log import GradientLog
from kerasrecipes.callbacks.interrupt import Interrupt
from kerasrecipes.callbacks.learning_rate_log import LearningRateLog
from kerasrecipes.callbacks.penalty_log import PenaltyLog
from kerasrecipes.callbacks.progress import Progress


@export("callbacks", saved=False)
def standard(
    *,
    monitor: str | None = None,
    patience: int | None = 10,
    checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
    progress: bool = True,
) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that nearly every fit wants, in the order that they need.

    `Interrupt` (Ctrl-C ends cleanly), `EpochOrder` (the order of rows follows from seed and
    epoch), `BindSchedule` (schedules take their length from the fit),
    `AverageForEvaluation` (for `ScheduleFreeAdamW`), `LearningRateLog`, `GradientLog` and
    `PenaltyLog` (the rate, what the optimizer saw of its gradients, and the weight penalty in
    History), `EarlyStopping` (the best weights come back) and `Progress` (a line per epoch; call
    `fit` with `verbose=0`).

    Args:
        monitor: Log entry that decides which epoch is best. Defaults to None, the one that the
            model's target names, else "val_loss".
        patience: Epochs without improvement before the stop, or None to train all epochs and
            still bring the best weights back. Defaults to 10.
        checkpoint: Folder in which the training is saved after each epoch, and from which the
            same program goes on when it is started again; or a `Checkpoint` of your own.
            Defaults to None, nothing is saved.
        progress: Whether to print a line per epoch. Defaults to True.

    Example:
    >>> [type(callback).__name__ for callback in standard(progress=False)]
    ['Interrupt', 'EpochOrder', 'BindSchedule', 'AverageForEvaluation', 'LearningRateLog',
     'GradientLog', 'PenaltyLog', 'EarlyStopping']
    """
    check_choice("progress", progress, (True, False))
    stopping = EarlyStopping(monitor, patience=patience)
    callbacks: list[keras.callbacks.Callback] = []
    if checkpoint is not None:
        callbacks.append(
            checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)
        )
    callbacks += [Interrupt(), EpochOrder(), BindSchedule(), AverageForEvaluation()]
    callbacks += [LearningRateLog(), GradientLog(), PenaltyLog(), stopping]
    if progress:
        line = Progress()
        line.stopping = stopping
        callbacks.append(line)
    return callbacks
