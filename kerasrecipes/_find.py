"""Finding what lies inside a layer, at any depth."""

from collections.abc import Iterator
from typing import Any

import keras

LINEAR = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
)
"""Layers of Keras that multiply by one kernel, before an activation."""


def find(root: keras.layers.Layer, kind: type | tuple[type, ...]) -> list[Any]:
    """Returns each object of `kind` that `root` holds at any depth, once, itself included."""
    return [thing for thing in _walk(root, set()) if isinstance(thing, kind)]


def _walk(thing: Any, seen: set[int]) -> Iterator[Any]:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, (list, tuple, set)):
        inside = list(thing)
    elif isinstance(thing, dict):
        inside = list(thing.values())
    elif isinstance(thing, keras.Sequential):
        yield thing
        inside = thing.layers  # it also holds a functional model of the same layers
    elif isinstance(thing, keras.layers.Layer):
        yield thing
        inside = list(vars(thing).values())
    else:
        yield thing
        return
    for each in inside:
        yield from _walk(each, seen)
