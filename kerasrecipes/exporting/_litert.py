"""LiteRT, by TensorFlow's converter."""

from pathlib import Path
from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError


def write(model: keras.Model, path: Path, signature: list[Any]) -> None:
    """Writes a model of LiteRT's own operations, which every runtime of it has."""
    import tensorflow as tf

    own = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    try:
        model.export(
            str(path), format="litert", verbose=False, input_signature=signature, target_spec=own
        )
    except Exception as error:
        cause = error.__cause__ or error  # Keras 3.14 wraps the converter's
        if type(cause).__name__ != "ConverterError":
            raise
        raise InputError(
            "`model` must be made of operations that LiteRT has. TensorFlow's converter could not "
            f"write one of them: {str(cause).strip().splitlines()[0]} Take format='tf_saved_model' "
            "or 'onnx', another layer, or a fixed `batch_size`."
        ) from error


def unit_normalization(build: Any, layer: Any, x: Any) -> Any:
    """Returns vectors of length 1, and zeros for zeros, for which LiteRT's own gives NaN."""
    squares = ops.sum(ops.square(x), axis=layer.axis, keepdims=True)
    return x / ops.sqrt(ops.maximum(squares, 1e-12))


def has_recurrence(model: keras.Model) -> bool:
    """Returns whether a model loops over steps, for which LiteRT must know the batch."""
    kinds = (keras.layers.RNN, keras.layers.Bidirectional)
    return any(isinstance(each, kinds) for each in model.layers) or any(
        has_recurrence(each) for each in model.layers if isinstance(each, keras.Model)
    )
