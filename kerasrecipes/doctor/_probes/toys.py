"""Small models and scripted fits that the probes share."""

import re
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = X[:, :1]


def linear_model(optimizer: Any = "sgd") -> keras.Model:
    """Returns a compiled linear model of three features."""
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile(optimizer, "mse", jit_compile=False)
    return model


class Script(keras.callbacks.Callback):
    """Puts scripted validation losses into the logs of a fit."""

    def __init__(self, losses: Sequence[float]) -> None:
        super().__init__()
        self.losses = losses

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Replaces the value."""
        logs["val_loss"] = self.losses[epoch]


class Rates(keras.callbacks.Callback):
    """Notes the learning rate at the end of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Notes it."""
        self.seen.append(float(np.array(self.model.optimizer.learning_rate)))


def rates(optimizer: Any, losses: Sequence[float], *callbacks: Any) -> list[float]:
    """Returns the rate after each epoch of a fit with scripted validation losses."""
    notes = Rates()
    linear_model(optimizer).fit(
        X, Y, validation_data=(X, Y), epochs=len(losses), verbose=0,
        callbacks=[Script(losses), *callbacks, notes],
    )  # fmt: skip
    return notes.seen


def played(callback: Any, losses: Sequence[float]) -> tuple[int, float]:
    """Tells a callback one validation loss per epoch, without a fit.

    Returns: The number of epochs that it let pass, and the bias at the end, which the script sets
        to the number of the epoch.
    """
    model = linear_model()
    callback.set_model(model)
    callback.set_params({"epochs": len(losses), "steps": 1})
    callback.on_train_begin()
    passed = 0
    for epoch, loss in enumerate(losses):
        model.layers[-1].bias.assign([float(epoch)])
        callback.on_epoch_end(epoch, {"loss": 1.0, "val_loss": loss})
        passed += 1
        if model.stop_training:
            break
    callback.on_train_end()
    return passed, float(np.array(model.layers[-1].bias)[0])


_FRAME = re.compile(r"File |in user code|Graph execution error|Detected at|\d+ root error")
_NAMED = re.compile(r"\w+Error: ")


def first_line(error: BaseException) -> str:
    """Returns the class and the line of the message that tells most, for what was seen."""
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not _FRAME.match(line)]
    named = [line for line in lines if _NAMED.match(line)]
    said = (named or lines or ["no message"])[0]
    name = type(error).__name__
    return f"{name}: {said.removeprefix(f'{name}: ')[:100]}"
