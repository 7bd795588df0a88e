"""The form "mlp" of `tabular`: the dense network of `recipes.mlp` on the scaled table."""

from typing import Any

from kerasrecipes import initializers
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers.dense_block import DenseBlock
from kerasrecipes.recipes._tabular_inputs import Inputs, joined
from kerasrecipes.targets.target import Target


def network(inputs: Inputs, target: Target, settings: dict[str, Any]) -> Any:
    """Returns the output of the network."""
    units = settings["category_units"]
    x = joined([inputs.scaled(), *inputs.missing(), *inputs.categories(units)])
    for index, width in enumerate(settings["hidden"]):
        x = DenseBlock(
            width,
            settings["activation"],
            normalization="batch",
            dropout=settings["dropout"],
            synchronized=settings["replicas"] > 1,
            seed=child_seed(inputs.seed, "hidden", index),
            name=f"hidden_{index + 1}",
        )(x)
    kernel = initializers.get(
        "auto", activation=target.activation, seed=child_seed(inputs.seed, "head")
    )
    for layer in target.output_layers(kernel_initializer=kernel):
        x = layer(x)
    return x
