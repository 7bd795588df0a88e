"""Finding what lies inside a layer, at any depth."""

from collections.abc import Iterator
from typing import Any

import keras


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
