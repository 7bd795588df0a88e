"""The form "tabm" of `tabular`: many networks in one, on piecewise-linear embeddings."""

from typing import Any

from kerasrecipes._seeds import child_seed
from kerasrecipes.layers._cheapest_dropout import cheapest_dropout
from kerasrecipes.layers.ensemble_dense import EnsembleDense
from kerasrecipes.layers.ensemble_head import EnsembleHead
from kerasrecipes.layers.ensemble_mean import EnsembleMean
from kerasrecipes.layers.prediction_clip import PredictionClip
from kerasrecipes.recipes._tabular_inputs import Inputs, joined
from kerasrecipes.targets.target import Target


def network(inputs: Inputs, target: Target, settings: dict[str, Any]) -> Any:
    """Returns the mean of the members' outputs."""
    embeds = bool(settings["embedding_units"])
    numbers = (
        inputs.piecewise(settings["embedding_units"], settings["bins"])
        if embeds
        else inputs.scaled()
    )
    categories = inputs.categories(settings["category_units"])
    x = joined([numbers, *inputs.missing(), *categories])
    first = settings["scale_initializer"]
    for index, width in enumerate(settings["hidden"]):
        x = EnsembleDense(
            width,
            settings["members"],
            activation=settings["activation"],
            scale_initializer="ones" if index else first,
            seed=child_seed(inputs.seed, "hidden", index),
            name=f"hidden_{index + 1}",
        )(x)
        if settings["dropout"]:
            seed = child_seed(inputs.seed, "dropout", index)
            x = cheapest_dropout(settings["dropout"], seed=seed, name=f"dropout_{index + 1}")(x)
    x = EnsembleHead(target.units, seed=child_seed(inputs.seed, "head"), name="head")(x)
    for layer in target.output_layers()[1:]:
        x = layer(x)
    x = EnsembleMean(name="mean")(x)
    return clipped(x, target)


def clipped(x: Any, target: Target) -> Any:
    """Returns predictions within the range of the training labels, where the target knows it."""
    low, high = getattr(target, "low", None), getattr(target, "high", None)
    if target.name != "regression" or low is None or high is None:
        return x
    return PredictionClip(low, high, dtype="float32", name="within_range")(x)
