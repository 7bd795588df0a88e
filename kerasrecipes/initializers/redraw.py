"""Drawing the random weights of a model anew."""

from typing import Any

import keras

from kerasrecipes._checks import InputError
from kerasrecipes._export import export
from kerasrecipes._find import find
from kerasrecipes._seeds import child_seed
from kerasrecipes.initializers.identify import get

_SUFFIX = "_initializer"


@export("initializers", saved=False)
def redraw(model: keras.layers.Layer, *, seed: int | None = None) -> list[keras.Variable]:
    """Draws each random weight of a built model anew, every one from a stream of its own.

    Layers of Keras that copy an initializer with an integer seed give the same numbers to all
    weights of one shape: the query, key and value kernels of `keras.layers.MultiHeadAttention`,
    the two directions of `keras.layers.Bidirectional`, every layer that shares the initializer.
    After this they differ, and are reproducible. It also starts a model over, as for the members
    of an ensemble, without building it again. Weights that start at a constant are left alone.

    Args:
        model: A built model or layer.
        seed: Integer for reproducible weights, or None.

    Returns: The variables that were drawn.

    Raises: InputError if the model holds no random weight.

    Example:
    >>> import keras, numpy as np
    >>> glorot = keras.initializers.GlorotUniform(seed=0)
    >>> layer = keras.layers.MultiHeadAttention(2, 8, kernel_initializer=glorot)
    >>> layer.build((None, 5, 16), (None, 5, 16))
    >>> kernels = [v for v in layer.weights if v.path.endswith("kernel")]
    >>> bool(np.array_equal(kernels[0], kernels[1]))
    True
    >>> len(redraw(layer, seed=0)), bool(np.array_equal(kernels[0], kernels[1]))
    (4, False)
    """
    drawn: list[Any] = []
    for index, layer in enumerate(find(model, keras.layers.Layer)):
        for name, initializer in list(vars(layer).items()):
            variable = _initialized_by(layer, name)
            if variable is None or not _is_random(initializer):
                continue
            if any(variable is other for other in drawn):
                continue
            fresh = get(initializer, seed=child_seed(seed, index, name))
            variable.assign(fresh(variable.shape, dtype=variable.dtype))
            drawn.append(variable)
    if not drawn:
        raise InputError(
            f"`model` must be built and hold random weights. Received: {model.name!r}, "
            f"built={model.built}."
        )
    return drawn


def _initialized_by(layer: keras.layers.Layer, name: str) -> Any:
    """Returns the variable that the attribute called `name` initializes, or None.

    `recurrent_initializer` makes `recurrent_kernel`; `depthwise_initializer` makes
    `depthwise_kernel`, or `kernel` where that is the only one.
    """
    if not name.endswith(_SUFFIX):
        return None
    stem = name.removesuffix(_SUFFIX)
    attributes = [stem, f"{stem}_kernel"] + ["kernel"] * (stem == "depthwise")
    values = [getattr(layer, attribute, None) for attribute in attributes]
    return next((value for value in values if isinstance(value, keras.Variable)), None)


def _is_random(initializer: Any) -> bool:
    is_stock = isinstance(initializer, keras.initializers.Initializer)
    return is_stock and "seed" in initializer.get_config()
