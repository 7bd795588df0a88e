"""CallbackCheck."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from kerasrecipes._checks import InputError
from kerasrecipes._export import export
from kerasrecipes.callbacks._clashes import RULES
from kerasrecipes.callbacks.callback import Callback


@export("callbacks", saved=False)
def check_callbacks(callbacks: Sequence[keras.callbacks.Callback], model: keras.Model) -> None:
    """Refuses callbacks that clash with one another or stand in the wrong order.

    It knows this package's callbacks and Keras's, and subclasses of both.

    Args:
        callbacks: Those of one fit, in their order.
        model: Compiled model that they are for.

    Raises: InputError with every problem found: which callbacks, what would happen, what to do.

    Example:
    >>> import keras
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> check_callbacks(kr.callbacks.standard(), model)
    >>> check_callbacks([kr.callbacks.Progress(), kr.callbacks.LearningRateLog()], model)
    Traceback (most recent call last):
    kerasrecipes._checks.InputError: `callbacks` cannot work together: Progress reads the logs
    before LearningRateLog adds to them. Put LearningRateLog before Progress.
    """
    problems = [problem for rule in RULES for problem in rule(callbacks, model)]
    if not problems:
        return
    shown = problems[0] if len(problems) == 1 else "".join(f"\n- {each}" for each in problems)
    raise InputError(
        f"`callbacks` cannot work together:{'' if shown[0] == chr(10) else ' '}{shown}"
    )


@export("callbacks", saved=False)
class CallbackCheck(Callback):
    """Refuses, before anything trains, callbacks that clash or stand in the wrong order.

    Recipe models check theirs by themselves; this brings `check_callbacks` to any `model.fit`,
    wherever it stands in the list.

    Raises: InputError when training begins; see `check_callbacks`.

    Example:
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    >>> model.compile(keras.optimizers.SGD(rate), "mse")
    >>> plateau = keras.callbacks.ReduceLROnPlateau("loss")
    >>> model.fit(np.eye(2), np.ones(2), callbacks=[plateau, CallbackCheck()])
    Traceback (most recent call last):
    kerasrecipes._checks.InputError: `callbacks` cannot work together:
    keras.callbacks.ReduceLROnPlateau cannot set the rate of ExponentialDecay, ...
    """

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Checks all callbacks of the fit."""
        check_callbacks(self.siblings(), self.model)
