"""What every network of the recipes ends with, and what its arguments have in common."""

from typing import Any

import keras

from kerasrecipes import initializers
from kerasrecipes._checks import check_number, fail
from kerasrecipes._seeds import child_seed
from kerasrecipes.targets.target import Target


def check_preprocessing(preprocessing: Any) -> None:
    """Refuses what is not an adapted layer for numbers."""
    if preprocessing is None:
        return
    if isinstance(preprocessing, keras.layers.TextVectorization):
        remedy = "Texts are for `kerasrecipes.recipes.text`."
        fail("preprocessing", "a layer for numbers, or None", preprocessing, remedy)
    if not isinstance(preprocessing, keras.layers.Layer):
        fail("preprocessing", "an adapted Keras layer or None", preprocessing)
    normalization = isinstance(preprocessing, keras.layers.Normalization)
    if normalization and not preprocessing.built and preprocessing.input_mean is None:
        fail("preprocessing", "an adapted layer", preprocessing, "Call its `adapt` first.")


def head(
    x: Any, target: Target, initializer: Any, *, penalty: Any = None, seed: int | None = None
) -> Any:
    """Returns the predictions from a vector for each row."""
    kernel = initializers.get(
        initializer, activation=target.activation, seed=child_seed(seed, "head")
    )
    for layer in target.output_layers(kernel_initializer=kernel, kernel_regularizer=penalty):
        x = layer(x)
    return x


def dropped(x: Any, rate: float, seed: int | None) -> Any:
    """Returns the vector for each row with dropout before the head."""
    rate = check_number("dropout", rate, low=0.0, high=1.0, open_high=True)
    if rate == 0:
        return x
    return keras.layers.Dropout(rate, seed=child_seed(seed, "dropout"), name="dropout")(x)


def own_rate(
    optimizer: Any, learning_rate: float | None, schedule: Any, usual: float
) -> float | None:
    """Returns the recipe's own rate for AdamW where the caller gives none."""
    finished = isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule)
    if learning_rate is None and optimizer == "adamw" and not finished:
        return usual
    return learning_rate
