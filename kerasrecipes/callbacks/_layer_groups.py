"""Which layers a monitor tells apart, and what they are called."""

from collections.abc import Iterator
from typing import Any

import keras

from kerasrecipes._find import find
from kerasrecipes.activations.facts import facts

_IN_LOOPS = (keras.layers.RNN, keras.layers.TimeDistributed)
_NOT_HIDDEN = ("linear", "softmax", "log_softmax", "sparsemax")


def parts(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.layers.Layer]]:
    """Yields the layers of a model, with names; models within it are gone into."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from parts(layer, f"{prefix}{layer.name}/")
        else:
            yield f"{prefix}{layer.name}", layer


def weight_groups(model: keras.Model) -> dict[str, list[Any]]:
    """Returns the trainable variables of each layer that has some.

    A block, such as `DenseBlock`, is one layer. Variables in no layer have the model's name, and
    those that layers share belong to the first.
    """
    home: dict[int, str] = {}
    for name, layer in parts(model):
        for variable in layer.trainable_variables:
            home.setdefault(id(variable), name)
    groups: dict[str, list[Any]] = {name: [] for name, _ in parts(model)}
    for variable in model.trainable_variables:
        groups.setdefault(home.get(id(variable), str(model.name)), []).append(variable)
    return {name: variables for name, variables in groups.items() if variables}


def activated_layers(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """Returns the hidden layers with an activation other than linear and softmax, by name.

    The step of a block with the activation has the name of the block. What runs in the loop of an
    RNN is left out; the RNN itself is one layer.
    """
    found: dict[str, keras.layers.Layer] = {}
    outputs = getattr(model, "output_names", ())
    for name, part in parts(model):
        inside = [] if name in outputs else _activated(part)
        for layer in inside:
            found[name if len(inside) == 1 else f"{name}/{layer.name}"] = layer
    return found


def _activated(part: keras.layers.Layer) -> list[Any]:
    """Returns the innermost layers of a part that have an activation."""
    layers = find(part, keras.layers.Layer)
    loops = [inner for each in layers if isinstance(each, _IN_LOOPS) for inner in _inside(each)]
    hidden = {id(each) for each in loops}
    candidates = [each for each in layers if id(each) not in hidden and _is_activated(each)]
    outer = {
        id(each)
        for each in candidates
        if any(id(inner) != id(each) and inner in _inside(each) for inner in candidates)
    }
    return [each for each in candidates if id(each) not in outer]


def _inside(layer: keras.layers.Layer) -> list[Any]:
    return [each for each in find(layer, keras.layers.Layer) if each is not layer]


def _is_activated(layer: keras.layers.Layer) -> bool:
    if not hasattr(layer, "activation") and facts(layer).name == type(layer).__name__:
        return False
    return getattr(layer, "activation", layer) is not None and facts(layer).name not in _NOT_HIDDEN
