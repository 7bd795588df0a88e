"""What every network of the recipes ends with."""

from typing import Any

from kerasrecipes import initializers
from kerasrecipes._checks import check_number
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers._cheapest_dropout import cheapest_dropout
from kerasrecipes.targets.target import Target


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
    return cheapest_dropout(rate, seed=child_seed(seed, "dropout"), name="dropout")(x)
