"""What the finders ask of a model."""

from typing import Any

import keras

from kerasrecipes._checks import InputError, fail


def check_model(model: Any) -> None:
    """Refuses what is not a compiled Keras model on TensorFlow."""
    if not isinstance(model, keras.Model):
        fail("model", "a compiled Keras model", model)
    if not model.compiled or model.optimizer is None:
        fail("model", "compiled", f"{model.name!r}, which is not", "Call `model.compile` first.")
    if keras.config.backend() != "tensorflow":
        raise InputError("The finders need Keras on TensorFlow (KERAS_BACKEND=tensorflow).")
