"""Replacing what layers compute, for a while."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras


@contextlib.contextmanager
def patched_calls(
    layers: Iterable[keras.layers.Layer],
    replace: Callable[[keras.layers.Layer, Callable[..., Any]], Callable[..., Any]],
) -> Iterator[None]:
    """Within the context each layer computes `replace(layer, layer.call)`.

    Functions traced before are not affected, so call the model eagerly or trace it inside. Not
    for several threads on one model at a time.
    """
    before = [(layer, vars(layer).get("call")) for layer in layers]
    try:
        for layer, _ in before:
            layer.call = replace(layer, layer.call)
        yield
    finally:
        for layer, call in before:
            if call is not None:
                layer.call = call
            elif "call" in vars(layer):
                del layer.call
