"""Penalising the kernels of a model, and nothing else."""

import inspect
from typing import Any

import keras

from kerasrecipes._checks import InputError, fail
from kerasrecipes._export import export
from kerasrecipes._find import find
from kerasrecipes.regularizers import identify

_ARGUMENTS = {
    "kernel": ("kernel_regularizer", "depthwise_regularizer"),
    "recurrent_kernel": ("recurrent_regularizer",),
    "depthwise_kernel": ("depthwise_regularizer",),
    "pointwise_kernel": ("pointwise_regularizer",),
}
"""Kernels by their attribute in Keras layers, with the arguments that may penalise them."""


@export("regularizers", saved=False)
def apply(model: keras.layers.Layer, regularizer: Any) -> list[keras.Variable]:
    """Penalises every kernel of a built model, in place of what penalised it before.

    Kernels are those of dense, convolutional and recurrent layers at any depth. Biases, the
    scale and offset of normalisations, slopes and embeddings are never touched. The penalty is
    saved with the model, counts from the next `fit` or `evaluate` on, and does not count for
    layers that are frozen. Useful for a pretrained model; layers of your own take
    `kernel_regularizer` when you make them.

    Args:
        model: A built model or layer.
        regularizer: What `kerasrecipes.regularizers.get` takes; None takes penalties away.

    Returns: The kernels, in the order of the layers.

    Raises: InputError if there is no kernel, or for a layer that would lose the penalty when
        saved, since it passes regularizers on to layers of its own (MultiHeadAttention).

    Example:
    >>> import keras
    >>> inputs = keras.Input((3,))
    >>> model = keras.Model(inputs, keras.layers.Dense(2, name="head")(inputs))
    >>> [variable.path for variable in apply(model, {"name": "l2", "l2": 1e-4})]
    ['head/kernel']
    >>> round(float(model.layers[1].kernel.regularizer.l2), 6)
    0.0001
    """
    if not isinstance(model, keras.layers.Layer):
        fail("model", "a Keras model or layer", model)
    regularizer = identify.get(regularizer)
    layers = find(model, keras.layers.Layer)
    kernels = _kernels(layers)
    for layer in layers:
        for argument in sum(_ARGUMENTS.values(), ()):
            if argument in vars(layer):
                setattr(layer, argument, regularizer)
    for kernel in kernels:
        kernel.regularizer = regularizer
    _trace_again(model)
    return kernels


def _kernels(layers: list[keras.layers.Layer]) -> list[keras.Variable]:
    """Returns the kernels, having checked that each is one whose penalty would be saved."""
    found: list[keras.Variable] = []
    lost = [layer for layer in layers if _passes_on(layer)]
    for layer in layers:
        for name, arguments in _ARGUMENTS.items():
            kernel = getattr(layer, name, None)
            if not isinstance(kernel, keras.Variable) or any(kernel is each for each in found):
                continue
            if any(argument in vars(layer) for argument in arguments):
                found.append(kernel)
    if lost:
        raise InputError(
            f"`model` holds the {type(lost[0]).__name__} {lost[0].name!r}, which takes a "
            "`kernel_regularizer` only when it is made, so that the penalty would be lost when "
            "the model is saved. Give it there."
        )
    if not found:
        raise InputError(
            "`model` must be built and hold a layer with a kernel that can be penalised. "
            f"Received: {layers[0].name!r}, built={layers[0].built}."
        )
    return found


def _passes_on(layer: keras.layers.Layer) -> bool:
    """Whether the layer was given a regularizer that it keeps to itself."""
    takes = "kernel_regularizer" in inspect.signature(type(layer).__init__).parameters
    return takes and not hasattr(layer, "kernel_regularizer")


def _trace_again(model: keras.layers.Layer) -> None:
    """Drops what was traced with other penalties."""
    if getattr(model, "train_function", None) is not None:
        model.make_train_function(force=True)  # type: ignore[attr-defined]
    if getattr(model, "test_function", None) is not None:
        model.make_test_function(force=True)  # type: ignore[attr-defined]
