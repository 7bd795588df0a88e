"""Whether a model was built where it is to be trained."""

from typing import Any

import keras

from kerasrecipes._checks import InputError
from kerasrecipes._export import export
from kerasrecipes.distribute.adapt import adapt


@export("distribute", saved=False)
def check_model(model: keras.Model) -> Any:
    """Returns the strategy that the model trains under, or None; adapts it.

    A model trains under the strategy in whose scope it was built, else under that of the present
    scope. In the latter case Keras fails with an AssertionError that has no message.

    Args:
        model: A Keras model, compiled or not.

    Returns: The strategy, or None if the model trains on one device.

    Raises: InputError if weights of the model were made outside the strategy's scope, or if Keras
        3 does not train under the strategy.

    Example:
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> check_model(model) is None
    True
    """
    if keras.config.backend() != "tensorflow":
        return None
    import tensorflow as tf

    strategy = model.distribute_strategy  # that of the present scope if the model has none
    if strategy is tf.distribute.get_strategy() and not tf.distribute.has_strategy():
        return None
    made_in_scope = strategy.extended.variable_created_in_scope
    outside = [v.path for v in model.variables if not made_in_scope(v.value)]
    if outside:
        raise InputError(
            f"`model` must be built in the scope of the strategy it trains under, a "
            f"{type(strategy).__name__}. Received: {model.name!r}, whose {outside[0]!r} was made "
            "outside. Build and compile it in `with strategy.scope():`, or give the recipe "
            "`strategy=strategy`."
        )
    return adapt(strategy)
