"""What the regularizers of a model add to its loss."""

import keras

from kerasrecipes._export import export


@export("regularizers", saved=False)
def penalty(model: keras.layers.Layer) -> float:
    """Returns the sum of all weight penalties at the present weights.

        penalty = sum over trainable weights W of regularizer_W(W)
    `model.evaluate` reports data loss plus penalty, so the data loss is its loss minus this. So
    does the training loss, but as a mean over the updates of an epoch. Penalties on activations
    are not included.

    Args:
        model: A built model or layer.

    Returns: The penalty as a float, 0.0 if nothing is penalised.

    Example:
    >>> import keras
    >>> layer = keras.layers.Dense(2, kernel_initializer="ones", kernel_regularizer="l2")
    >>> layer.build((None, 3))
    >>> round(penalty(layer), 6)
    0.06
    """
    weights = [weight for weight in model.trainable_weights if weight.regularizer is not None]
    penalties = [keras.ops.convert_to_numpy(weight.regularizer(weight)) for weight in weights]
    return float(sum(map(float, penalties)))
