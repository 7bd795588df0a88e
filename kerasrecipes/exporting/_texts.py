"""The part of a network for texts that comes after the texts have become numbers."""

from typing import Any

import keras
import numpy as np

from kerasrecipes.exporting._unfold import Unfolding


def encoders_of(model: keras.Model) -> list[keras.layers.TextVectorization]:
    """Returns the layers from texts to numbers."""
    return [each for each in model.layers if isinstance(each, keras.layers.TextVectorization)]


def network_of(model: keras.Model, unfolding: Unfolding) -> keras.Model:
    """Returns the network with an input for each of those layers, which has its name."""
    inputs = {}
    for layer in encoders_of(model):
        encoded = layer.output
        shape, dtype = encoded.shape, encoded.dtype
        inputs[layer.name] = keras.Input(batch_shape=shape, dtype=dtype, name=layer.name)

    def given(build: Any, layer: Any, texts: Any) -> Any:
        return inputs[layer.name]

    unfolding.reserve(inputs)
    unfolding.rules[keras.layers.TextVectorization] = given
    texts = keras.Input((), dtype="string")
    return keras.Model(inputs, unfolding.outputs(model, texts), name=model.name)


def encoded_texts(model: keras.Model, texts: np.ndarray) -> dict[str, np.ndarray]:
    """Returns what those layers make of texts."""
    return {
        layer.name: keras.ops.convert_to_numpy(layer(texts.tolist()))
        for layer in encoders_of(model)
    }
