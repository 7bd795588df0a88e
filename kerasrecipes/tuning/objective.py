"""What a search makes small or large."""

import keras_tuner

from kerasrecipes._checks import InputError, check_choice, did_you_mean, fail
from kerasrecipes._export import export
from kerasrecipes.callbacks import monitor

_USUAL = [
    f"{part}{name}"
    for name in "loss accuracy auc f1 precision recall mae mse rmse r2 crossentropy".split()
    for part in ("val_", "")
]


@export("tuning", saved=False)
def objective(name: str, direction: str | None = None) -> keras_tuner.Objective:
    """Returns the objective of a search, for any tuner or oracle of KerasTuner.

    KerasTuner given only a name takes "min" for "val_f1_score", "val_r2_score" and others of
    which more is better, and returns the worst model; it knows nothing of "val_rmse" or
    "val_auc_1". Here the direction comes from the table that the callbacks use.

    Args:
        name: Log entry such as "val_loss" or "val_auc_1"; of a model with several outputs such
            as "val_head_accuracy".
        direction: "min" or "max", whether lower or higher is better. Defaults to None: looked up
            in the table of directions.

    Raises: InputError for a name whose direction is not known.

    Example:
    >>> print(objective("val_f1_score"))
    Objective(name="val_f1_score", direction="max")
    >>> print(objective("val_profit", "max"))
    Objective(name="val_profit", direction="max")
    """
    if not isinstance(name, str) or not name:
        fail("name", 'the name of a log entry, such as "val_loss"', name)
    if direction is not None:
        check_choice("direction", direction, ("min", "max"))
        return keras_tuner.Objective(name, direction)
    try:
        return keras_tuner.Objective(name, monitor.direction(name))
    except InputError as error:
        message = (
            f"`direction` is needed for the objective {name!r}: whether lower or higher is better "
            f'does not follow from the name. Give direction="min" or direction="max". '
            f"{did_you_mean(name, _USUAL)}"
        )
        raise InputError(message.strip()) from error
