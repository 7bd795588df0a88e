"""R4: which weights decay once a model was saved and loaded."""

import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from kerasrecipes.doctor._probes.seen import Seen


def _excluding() -> Any:
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def decayed_after_loading(optimizer: Callable[[], Any] = _excluding) -> Seen:
    """Excludes all but the kernel, saves, loads, and makes an update with no gradient."""
    layers = [keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()]
    model = keras.Sequential(layers)
    model.compile(optimizer(), "mse")
    model.optimizer.build(model.trainable_variables)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        model.save(path)
        loaded = keras.saving.load_model(path)
    for weight in loaded.trainable_variables:
        weight.assign(np.ones(weight.shape))
    loaded.optimizer.apply([np.zeros(w.shape, "float32") for w in loaded.trainable_variables])
    decayed = [w.name for w in loaded.trainable_variables if np.array(w).min() < 1]
    return Seen(
        decayed != ["kernel"],
        f"what decays after loading, where only the kernel should: {', '.join(decayed)}",
    )
