"""Which callbacks cannot work together, as a table of rules.

A rule takes the callbacks of a fit in their order and the model, and yields a sentence for each
problem: which callbacks, what would happen, what to do. Callbacks are known by the names of their
classes and base classes, so that this file depends on none of them.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import keras

from kerasrecipes import _keras_internals

Problems = Iterator[str]
Callbacks = Sequence[Any]

OURS = "kerasrecipes"
KERAS = "keras"
RATE = "learning_rate"
ADDED = {
    "LearningRateLog": (RATE,),
    "GradientLog": ("gradient_norm", "clipped_fraction", "update_ratio"),
    "GradientMonitor": ("gradient_norm/", "update_ratio/"),
    "ActivationMonitor": ("activation_rms/", "dead_fraction/"),
    "PenaltyLog": ("penalty",),
    "NonFinite": ("skipped_updates",),
    "SpikeGuard": ("skipped_spikes",),
    "Hypergradient": (RATE, "weight_decay"),
}
OUR_READERS = ("HistoryFile", "TensorBoardLogger", "WandbLogger", "MLflowLogger", "Progress")
KERAS_READERS = ("CSVLogger", "TensorBoard", "RemoteMonitor")
WATCHERS = ("EarlyStopping", "ModelCheckpoint", "ReduceLROnPlateau", "NonFinite", "SpikeGuard")
KERAS_STATE = {
    "EarlyStopping": "kerasrecipes.callbacks.EarlyStopping",
    "ReduceLROnPlateau": "kerasrecipes.callbacks.ReduceLROnPlateau",
    "ModelCheckpoint": (
        "kerasrecipes.callbacks.EarlyStopping, which brings the best weights back, and save the "
        "model after `fit`"
    ),
    "CSVLogger": "kerasrecipes.callbacks.HistoryFile",
    "TensorBoard": "kerasrecipes.callbacks.TensorBoardLogger, or update_freq='epoch'",
}


def rate_of_a_schedule(callbacks: Callbacks, model: Any) -> Problems:
    """Keras's callbacks set `learning_rate`, which a schedule does not let them (C1)."""
    schedule = _schedule(model)
    if schedule is None:
        return
    for each in _find(callbacks, KERAS, "ReduceLROnPlateau", "LearningRateScheduler"):
        cuts = _keras_class(each) == "ReduceLROnPlateau"
        remedy = f"use {OURS}.callbacks.ReduceLROnPlateau with an optimizer of {OURS}.optimizers"
        yield (
            f"{_name(each)} cannot set the rate of {type(schedule).__name__}, the schedule of the "
            "optimizer; Keras would raise a TypeError in training. Compile the model with a "
            f"constant rate, or {remedy if cuts else 'leave the callback out'}."
        )


def rate_set_anew(callbacks: Callbacks, model: Any) -> Problems:
    """Keras's LearningRateScheduler undoes every cut (C1)."""
    plateaus = _find(callbacks, None, "ReduceLROnPlateau")
    for each in _find(callbacks, KERAS, "LearningRateScheduler"):
        for plateau in plateaus:
            yield (
                f"{_name(each)} sets the rate in every epoch, and so undoes each cut of "
                f"{_name(plateau)}. Use {OURS}.callbacks.LearningRateScheduler, which keeps them, "
                f"or give the optimizer a schedule, with {OURS}.callbacks.ReduceLROnPlateau."
            )


def rate_adapted_twice(callbacks: Callbacks, model: Any) -> Problems:
    """What multiplies a rate must not find in it what another one multiplies it by."""
    adapting = _find(callbacks, OURS, "Hypergradient")
    if len(adapting) > 1:
        yield (
            f"{_name(adapting[0])} is there {len(adapting)} times, and each would turn the rate. "
            "Leave the others out."
        )
    for each in _find(callbacks, KERAS, "ReduceLROnPlateau") if adapting else ():
        yield (
            f"{_name(each)} would take the factor of {_name(adapting[0])} for a part of the rate "
            f"that it sets. Use {OURS}.callbacks.ReduceLROnPlateau."
        )


def two_that_save(callbacks: Callbacks, model: Any) -> Problems:
    """BackupAndRestore would restore other weights than Checkpoint, at another point (R2)."""
    ours = _find(callbacks, OURS, "Checkpoint", "WeightAveraging")
    for each in _find(callbacks, KERAS, "BackupAndRestore"):
        for other in ours:
            yield (
                f"{_name(each)} saves and restores the weights, but not the state of "
                f"{_name(other)}. Leave {_name(each)} out; {OURS}.callbacks.Checkpoint saves all."
            )


def two_that_average(callbacks: Callbacks, model: Any) -> Problems:
    """SwapEMAWeights exchanges weights that others have exchanged or saved (R5)."""
    ours = _find(callbacks, OURS, "Checkpoint", "WeightAveraging", "AverageForEvaluation")
    for each in _find(callbacks, KERAS, "SwapEMAWeights"):
        for other in ours:
            if _has_class(other, OURS, "AverageForEvaluation") and not _averages_itself(model):
                continue
            yield (
                f"{_name(each)} exchanges the weights behind the back of {_name(other)}. Leave "
                f"{_name(each)} and `use_ema` out, and use {OURS}.callbacks.WeightAveraging."
            )


def best_over_the_average(callbacks: Callbacks, model: Any) -> Problems:
    """Best weights are those that were validated, which with `use_ema` are not averaged (R5)."""
    if any(getattr(each, "use_ema", False) for each in _optimizers(model)):
        for each in _restoring(callbacks):
            yield (
                f"{_name(each)} brings the best weights back, which are not averaged, and so "
                "undoes `use_ema=True` of the optimizer. Leave `use_ema` out, and put "
                f"{OURS}.callbacks.WeightAveraging before {_name(each)}."
            )


def average_before_the_save(callbacks: Callbacks, model: Any) -> Problems:
    """With `use_ema` Keras ends every fit with the average, before `on_train_end` (R5)."""
    if any(getattr(each, "use_ema", False) for each in _optimizers(model)):
        for each in _find(callbacks, OURS, "Checkpoint"):
            yield (
                f"{_name(each)} would save the average of `use_ema=True` as the weights to go on "
                f"with. Leave `use_ema` out, and use {OURS}.callbacks.WeightAveraging."
            )


def only_one(callbacks: Callbacks, model: Any) -> Problems:
    """Two of these would undo each other's work."""
    for first, second in combinations(_find(callbacks, OURS, "Checkpoint"), 2):
        yield (
            f"{_name(first)} and {_name(second)}: a fit can be continued from one folder only. "
            "Leave one of the two out."
        )
    for first, second in combinations(_restoring(callbacks), 2):
        yield (
            f"{_name(first)} (monitor={first.monitor!r}) and {_name(second)} "
            f"(monitor={second.monitor!r}) both bring their best weights back, and the last one "
            "wins. Leave one of the two out, or let it only stop (restore_best_weights="
            "False)."
        )


def state_that_is_lost(callbacks: Callbacks, model: Any) -> Problems:
    """A resume would begin Keras's callbacks anew in the middle of the training (R2)."""
    checkpoints = _find(callbacks, OURS, "Checkpoint")
    for each in _find(callbacks, KERAS, *KERAS_STATE):
        if checkpoints and not hasattr(each, "state_dict") and _loses_state(each):
            yield (
                f"{_name(each)} forgets its state when {_name(checkpoints[0])} continues the "
                f"training. Use {KERAS_STATE[_keras_class(each)]}."
            )


def nan_that_is_not_survived(callbacks: Callbacks, model: Any) -> Problems:
    """TerminateOnNaN stops what NonFinite would go on with."""
    for each in _find(callbacks, KERAS, "TerminateOnNaN"):
        for other in _find(callbacks, OURS, "NonFinite"):
            if other.action != "stop":
                yield (
                    f"{_name(each)} stops the training at the values after which {_name(other)} "
                    f"({other.action!r}) goes on. Leave {_name(each)} out."
                )


def checkpoint_first(callbacks: Callbacks, model: Any) -> Problems:
    """What stands before Checkpoint has already gone on when the state is saved or restored."""
    for checkpoint in _find(callbacks, OURS, "Checkpoint")[:1]:
        for each in callbacks[: list(callbacks).index(checkpoint)]:
            if _has_state(each) or _has_class(each, OURS, "AverageForEvaluation", "Interrupt"):
                yield (
                    f"{_name(each)} stands before {_name(checkpoint)}, which would save and "
                    f"restore it at the wrong moment. Put {_name(checkpoint)} first in the list."
                )


def plateau_before_the_stop(callbacks: Callbacks, model: Any) -> Problems:
    """A plateau with the patience of the stop never gets to show what the lower rate does."""
    for plateau in _find(callbacks, OURS, "ReduceLROnPlateau"):
        for stopping in _find(callbacks, OURS, "EarlyStopping"):
            same = [plateau.monitor] == _monitors(stopping) and stopping.patience is not None
            if same and plateau.patience >= stopping.patience:
                yield (
                    f"{_name(plateau)} (patience={plateau.patience}) would cut the rate when "
                    f"{_name(stopping)} (patience={stopping.patience}) stops, or later. Give "
                    f"{_name(stopping)} more patience, twice as much for example."
                )


def average_before_what_watches(callbacks: Callbacks, model: Any) -> Problems:
    """What compares or keeps weights must find those that were validated, or trained (R5)."""
    swaps = ["WeightAveraging"] + ["AverageForEvaluation"] * _averages_itself(model)
    for first, second in combinations(callbacks, 2):
        if _has_class(second, OURS, *swaps) and _has_class(first, None, *WATCHERS):
            yield (
                f"{_name(first)} stands before {_name(second)}, which exchanges the weights for "
                f"each validation, and would find the wrong ones. Put {_name(second)} before "
                f"{_name(first)}."
            )


def logs_before_readers(callbacks: Callbacks, model: Any) -> Problems:
    """What adds to the logs of an epoch must come before what reads them."""
    for first, second in combinations(callbacks, 2):
        added = _adds(second)
        reads = _has_class(first, OURS, *OUR_READERS) or _has_class(first, KERAS, *KERAS_READERS)
        if added and (reads or not added.isdisjoint(_monitors(first))):
            yield (
                f"{_name(first)} reads the logs before {_name(second)} adds to them. Put "
                f"{_name(second)} before {_name(first)}."
            )


def model_after_the_best(callbacks: Callbacks, model: Any) -> Problems:
    """The model that a logger keeps must be the one that the fit ends with."""
    for first, second in combinations(callbacks, 2):
        if getattr(first, "log_model", False) and second in _restoring(callbacks):
            yield (
                f"{_name(first)} logs the model before {_name(second)} brings its best weights "
                f"back. Put {_name(second)} before {_name(first)}."
            )


RULES: tuple[Callable[[Callbacks, Any], Problems], ...] = (
    rate_of_a_schedule,
    rate_set_anew,
    rate_adapted_twice,
    two_that_save,
    two_that_average,
    best_over_the_average,
    average_before_the_save,
    only_one,
    state_that_is_lost,
    nan_that_is_not_survived,
    checkpoint_first,
    plateau_before_the_stop,
    average_before_what_watches,
    logs_before_readers,
    model_after_the_best,
)


def _has_class(callback: Any, package: str | None, *names: str) -> bool:
    """Returns whether a callback is of a class with one of these names, of `package` or either."""
    known = [each for each in type(callback).__mro__ if _package(each) in (OURS, KERAS)]
    fits = package in (None, *(_package(each) for each in known[:1]))
    return fits and any(each.__name__ in names for each in known)


def _package(kind: type) -> str:
    return kind.__module__.split(".")[0]


def _find(callbacks: Callbacks, package: str | None, *names: str) -> list[Any]:
    return [each for each in callbacks if _has_class(each, package, *names)]


def _name(callback: Any) -> str:
    """Returns the class's name, and for Keras's own where it is from."""
    kind = type(callback)
    return f"keras.callbacks.{kind.__name__}" if _package(kind) == KERAS else kind.__name__


def _keras_class(callback: Any) -> str:
    """Returns the name of the Keras class that a callback is or derives from."""
    return next(
        each.__name__ for each in type(callback).__mro__ if each.__module__.split(".")[0] == KERAS
    )


def _adds(callback: Any) -> set[str]:
    """Returns the entries that a callback adds to the logs."""
    if getattr(callback, "action", "skip") != "skip":  # NonFinite counts only what it skips
        return set()
    return {entry for name in ADDED if _has_class(callback, OURS, name) for entry in ADDED[name]}


def _monitors(callback: Any) -> list[Any]:
    return getattr(callback, "monitors", [getattr(callback, "monitor", None)])


def _restoring(callbacks: Callbacks) -> list[Any]:
    """Returns the callbacks that bring best weights back; unless told not to."""
    found = _find(callbacks, None, "EarlyStopping")
    return [each for each in found if getattr(each, "restore_best_weights", True)]


def _has_state(callback: Any) -> bool:
    if hasattr(callback, "state_dict"):
        return bool(getattr(callback, "state", True))
    return _has_class(callback, KERAS, *KERAS_STATE)


def _loses_state(callback: Any) -> bool:
    if _has_class(callback, KERAS, "ModelCheckpoint"):
        return callback.save_best_only
    if _has_class(callback, KERAS, "CSVLogger"):
        return not callback.append
    if _has_class(callback, KERAS, "TensorBoard"):
        return callback.update_freq != "epoch"
    return True


def _optimizers(model: Any) -> list[Any]:
    optimizer = getattr(model, "optimizer", None)
    return [] if optimizer is None else _keras_internals.wrapped(optimizer)


def _averages_itself(model: Any) -> bool:
    return any(hasattr(each, "to_average") for each in _optimizers(model))


def _schedule(model: Any) -> Any:
    """Returns the schedule of the model's optimizer, or None."""
    for each in _optimizers(model)[-1:]:
        rate = _keras_internals.learning_rate_schedule(each)
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            return rate
    return None
