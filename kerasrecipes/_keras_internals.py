"""The only module that reads names which Keras keeps private, each use with its reason."""

import contextlib
from typing import Any

import keras

from kerasrecipes._checks import InputError


def inner_optimizer(optimizer: Any) -> Any:
    """Returns the optimizer that a `LossScaleOptimizer` wraps, or the optimizer itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def learning_rate_schedule(optimizer: Any) -> Any:
    """Returns what the optimizer was given as `learning_rate`: a schedule, variable or function.

    `optimizer.learning_rate` is public, but gives the current rate only.
    """
    try:
        return optimizer._learning_rate
    except AttributeError as error:
        raise InputError(
            f"Keras {keras.__version__} is not supported: its optimizers keep no "
            "`_learning_rate`. Install a version in the range that kerasrecipes asks for."
        ) from error


def strategy_scope(model: keras.Model) -> contextlib.AbstractContextManager[Any]:
    """Returns the scope of the model's distribution strategy, under TensorFlow, else no scope."""
    strategy = getattr(model, "distribute_strategy", None)
    return contextlib.nullcontext() if strategy is None else strategy.scope()
