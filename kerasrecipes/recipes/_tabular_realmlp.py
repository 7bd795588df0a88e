"""The form "realmlp" of `tabular`: RealMLP-TD."""

from typing import Any

import keras
import numpy as np

from kerasrecipes._seeds import child_seed
from kerasrecipes.layers.feature_scale import FeatureScale
from kerasrecipes.layers.ntk_dense import NTKDense
from kerasrecipes.layers.parametric_activation import ParametricActivation
from kerasrecipes.layers.periodic_embedding import PeriodicEmbedding
from kerasrecipes.layers.scheduled_dropout import ScheduledDropout
from kerasrecipes.recipes._tabular_inputs import Inputs, joined
from kerasrecipes.recipes._tabular_tabm import clipped
from kerasrecipes.targets.target import Target

RATES = {
    r"(^|/)feature_scale/gain$": 6.0,
    r"(^|/)periodic/": 0.1,
    r"(^|/)activation_\d+/alpha$": 0.1,
    r"(^|/)(hidden_\d+|head)/bias$": 0.1,
}
"""Factors of the rate by variable."""

NOT_DECAYED = (r"(^|/)bias$",)


def network(inputs: Inputs, target: Target, settings: dict[str, Any]) -> Any:
    """Returns the output of the network."""
    numbers = inputs.scaled()
    if numbers is not None and settings["embedding_units"]:
        embedding = PeriodicEmbedding(
            settings["embedding_units"],
            frequency_scale=settings["frequency_scale"],
            seed=child_seed(inputs.seed, "periodic"),
            name="periodic",
        )
        numbers = keras.layers.Flatten(name="numbers")(embedding(numbers))
    categories = inputs.categories(settings["category_units"])
    x = joined([numbers, *inputs.missing(), *categories])
    x = FeatureScale(name="feature_scale")(x)
    for index, width in enumerate(settings["hidden"], start=1):
        x = NTKDense(width, seed=child_seed(inputs.seed, "hidden", index), name=f"hidden_{index}")(
            x
        )
        x = ParametricActivation(settings["activation"], name=f"activation_{index}")(x)
        seed = child_seed(inputs.seed, "dropout", index)
        x = ScheduledDropout(settings["dropout"], seed=seed, name=f"dropout_{index}")(x)
    x = NTKDense(target.units, seed=child_seed(inputs.seed, "head"), name="head")(x)
    for layer in target.output_layers()[1:]:
        x = layer(x)
    return clipped(x, target)


def start_from(model: keras.Model, rows: dict[str, np.ndarray]) -> None:
    """Starts each linear layer from what comes to it for training rows, the first one first."""
    values: Any = {name: rows[name] for name in (each.name for each in model.inputs)}
    for layer in model.layers:
        if isinstance(layer, NTKDense):
            before = keras.Model(model.inputs, layer.input)
            layer.adapt(keras.ops.convert_to_numpy(before([values[i.name] for i in model.inputs])))
