"""A model without penalties, noise or other replicas, for a while."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from kerasrecipes._find import find
from kerasrecipes._patch import patched_calls


def is_stochastic(layer: Any) -> bool:
    """Whether a layer draws random numbers when it is called, as dropout does.

    Recurrent layers have a generator even where their dropout is 0.
    """
    rates = [getattr(layer, name, None) for name in ("dropout", "recurrent_dropout")]
    if rates[1] is not None and not any(rates):
        return False
    return any(isinstance(each, keras.random.SeedGenerator) for each in vars(layer).values())


@contextlib.contextmanager
def unregularized(model: keras.Model) -> Iterator[None]:
    """Within the context there is no penalty and no noise, though the model is in training mode.

    Layers that draw random numbers behave as in inference; batch normalisation does not.
    """
    layers = find(model, keras.layers.Layer)
    weights = [(each, each.regularizer) for each in model.weights]
    active = [(each, each.activity_regularizer) for each in layers if each.activity_regularizer]
    try:
        for weight, _ in weights:
            weight.regularizer = None
        for layer, _ in active:
            layer.activity_regularizer = None
        noisy = [each for each in layers if is_stochastic(each) and each is not model]
        with patched_calls(noisy, _without_noise):
            yield
    finally:
        for weight, regularizer in weights:
            weight.regularizer = regularizer
        for layer, regularizer in active:
            layer.activity_regularizer = regularizer


def _without_noise(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    def quiet(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **{**kwargs, **({"training": False} if "training" in kwargs else {})})

    return quiet


@contextlib.contextmanager
def unsynchronized(model: keras.Model) -> Iterator[None]:
    """Within the context batch normalisation looks at one replica, which is all there is here."""
    layers = [
        each
        for each in find(model, keras.layers.BatchNormalization)
        if getattr(each, "synchronized", False)
    ]
    try:
        for layer in layers:
            layer.synchronized = False
        yield
    finally:
        for layer in layers:
            layer.synchronized = True
