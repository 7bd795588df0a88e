"""What every network of the recipes begins with."""

from typing import Any, NamedTuple

import keras

from kerasrecipes._checks import fail


class Start(NamedTuple):
    """Where a network begins.

    Attributes:
        inputs: Symbolic input, as the rows come.
        x: Symbolic tensor that the first layer takes, with a mask if there is padding.
    """

    inputs: Any
    x: Any


def check_preprocessing(preprocessing: Any, *, text: bool = False) -> None:
    """Refuses what is not an adapted layer for numbers, or for texts too."""
    if preprocessing is None:
        return
    if isinstance(preprocessing, keras.layers.TextVectorization) and not text:
        remedy = "Texts are for `kerasrecipes.recipes.text`."
        fail("preprocessing", "a layer for numbers, or None", preprocessing, remedy)
    if not isinstance(preprocessing, keras.layers.Layer):
        fail("preprocessing", "an adapted Keras layer or None", preprocessing)
    normalization = isinstance(preprocessing, keras.layers.Normalization)
    if normalization and not preprocessing.built and preprocessing.input_mean is None:
        fail("preprocessing", "an adapted layer", preprocessing, "Call its `adapt` first.")
