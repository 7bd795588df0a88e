"""The networks of `text`, from raw texts to a vector for each."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes._seeds import child_seed
from kerasrecipes.data.text_schema import TextSchema
from kerasrecipes.layers._cheapest_dropout import cheapest_dropout
from kerasrecipes.layers.conv_block import ConvBlock
from kerasrecipes.layers.dense_block import DenseBlock
from kerasrecipes.layers.position_encoding import PositionEncoding
from kerasrecipes.recipes._attention import AttentionParts
from kerasrecipes.recipes._head import dropped


def ngrams(texts: Any, schema: TextSchema, settings: dict[str, Any], seed: int | None) -> Any:
    """Returns what dense layers make of which n-grams there are.

    Counts enter by their logarithm, log(1 + count * weight), so that no frequent run of
    characters drowns the others; each kind has length 1 for every text.
    """
    parts = []
    for kind in ("words", "characters"):
        if getattr(schema, kind):
            x = ops.log1p(schema.layer(kind)(texts))
            parts.append(keras.layers.UnitNormalization(name=f"{kind}_of_length_1")(x))
    x = parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="ngrams")(parts)
    x = _dropped(x, settings["dropout"], seed, "ngrams_dropout")
    for index, units in enumerate(settings["hidden"]):
        x = DenseBlock(
            units,
            settings["activation"],
            normalization=None,
            dropout=settings["dropout"],
            seed=child_seed(seed, "hidden", index),
            name=f"hidden_{index + 1}",
        )(x)
    return x


def cnn(texts: Any, schema: TextSchema, settings: dict[str, Any], seed: int | None) -> Any:
    """Returns the largest response of each filter anywhere in the text."""
    x = _embedded(_numbers(texts, schema, settings), schema, settings, seed)
    x = _dropped(x, settings["dropout"], seed, "words_dropout")
    found = []
    for size in settings["kernel_size"]:
        block = ConvBlock(
            settings["filters"],
            size,
            rank=1,
            activation=settings["activation"],
            normalization=None,
            seed=child_seed(seed, "filters", size),
            name=f"filters_{size}",
        )
        found.append(keras.layers.GlobalMaxPooling1D(name=f"largest_{size}")(block(x)))
    x = found[0] if len(found) == 1 else keras.layers.Concatenate(name="largest")(found)
    return dropped(x, settings["dropout"], seed)


def transformer(texts: Any, schema: TextSchema, settings: dict[str, Any], seed: int | None) -> Any:
    """Returns the mean over the words, after blocks of attention and dense layers."""
    numbers = _numbers(texts, schema, settings)
    # A text without words has one that is not known, so that there is something to attend to.
    numbers = ops.maximum(numbers, np.eye(1, settings["length"], dtype="int64"))
    x = _embedded(numbers, schema, settings, seed, masked=True)
    part = AttentionParts(settings["embedding_units"], settings["dropout"], "auto", None, seed)
    x = part.dropped(PositionEncoding(name="positions")(x), "positions")
    for index in range(1, settings["layers"] + 1):
        x = part.attended(x, settings["num_heads"], f"layer_{index}")
        x = part.mapped(x, 4 * part.units, settings["activation"], f"layer_{index}")
    x = keras.layers.LayerNormalization(name="norm")(x)
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    return dropped(x, settings["dropout"], seed)


NETWORKS = {"ngrams": ngrams, "cnn": cnn, "transformer": transformer}


def _numbers(texts: Any, schema: TextSchema, settings: dict[str, Any]) -> Any:
    return schema.layer("words", length=settings["length"])(texts)


def _embedded(
    numbers: Any,
    schema: TextSchema,
    settings: dict[str, Any],
    seed: int | None,
    *,
    masked: bool = False,
) -> Any:
    start = keras.initializers.RandomNormal(
        stddev=1.0 if masked else 0.1, seed=child_seed(seed, "embedding")
    )
    return keras.layers.Embedding(
        len(schema.single_words) + 2,
        settings["embedding_units"],
        embeddings_initializer=start,
        mask_zero=masked,
        name="embedding",
    )(numbers)


def _dropped(x: Any, rate: float, seed: int | None, name: str) -> Any:
    if not rate:
        return x
    return cheapest_dropout(rate, seed=child_seed(seed, name), name=name)(x)
